#include "pools.h"

#include <algorithm>

namespace flam {
namespace cuda {

// The rest of a large block stays with it unless it could serve a large block itself.
void pool::split(block* b, int64_t bytes) {
  const int64_t rest = b->bytes - bytes;
  if (b->small ? rest < granularity : rest <= small_limit) return;
  auto* tail = new block{b->address + bytes, rest, b->stream, this};
  tail->before = b;
  tail->after = b->after;
  tail->state = block::idle;
  tail->small = b->small;
  tail->device = b->device;
  if (b->after) b->after->before = tail;
  b->after = tail;
  b->bytes = bytes;
  idle_like(tail).insert(tail);
}

block* pool::take(cudaStream_t stream, int64_t bytes) {
  auto& idle = bytes <= small_limit ? small : large;
  block wanted{nullptr, bytes, stream, this};
  const auto it = idle.lower_bound(&wanted);
  if (it == idle.end() || (*it)->stream != stream) return nullptr;
  block* b = *it;
  idle.erase(it);
  b->state = block::live;
  split(b, bytes);
  return b;
}

block* pool::adopt(block* segment, int64_t bytes) {
  segments.insert(segment);
  segment->state = block::live;
  split(segment, bytes);
  return segment;
}

void pool::give(block* b) {
  b->users.clear();
  if (b->before && b->before->state == block::idle) {  // the earlier one absorbs: the first block of a segment stays the first
    block* head = b->before;
    idle_like(head).erase(head);
    head->bytes += b->bytes;
    head->after = b->after;
    if (b->after) b->after->before = head;
    delete b;
    b = head;
  }
  if (b->after && b->after->state == block::idle) {
    block* tail = b->after;
    idle_like(tail).erase(tail);
    b->bytes += tail->bytes;
    b->after = tail->after;
    if (tail->after) tail->after->before = b;
    delete tail;
  }
  b->state = block::idle;
  idle_like(b).insert(b);
}

std::vector<block*> pool::unused_segments() const {
  std::vector<block*> found;
  for (block* b : segments)
    if (b->state == block::idle && !b->after) found.push_back(b);
  return found;
}

void pool::forget(block* segment) {
  idle_like(segment).erase(segment);
  segments.erase(segment);
}

void pool::move_to(pool* other) {
  small.clear();
  large.clear();
  for (block* first : segments) {
    other->segments.insert(first);
    for (block* b = first; b; b = b->after) {
      b->home = other;
      if (b->state == block::idle) other->idle_like(b).insert(b);
    }
  }
  segments.clear();
}

void pool::leave_stream(cudaStream_t stream) {
  for (block* first : segments) {
    for (block* b = first; b; b = b->after) {
      b->users.erase(std::remove(b->users.begin(), b->users.end(), stream), b->users.end());
      if (b->stream != stream) continue;
      if (b->state == block::idle) idle_like(b).erase(b);
      b->stream = nullptr;
      if (b->state == block::idle) idle_like(b).insert(b);
    }
  }
}

int64_t pool::largest_idle() const {
  int64_t most = 0;
  for (const auto* idle : {&small, &large})
    for (const block* b : *idle) most = std::max(most, b->bytes);
  return most;
}

}  // namespace cuda
}  // namespace flam
