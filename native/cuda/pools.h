// Device memory as blocks: segments come from the driver and are split and merged here. Nothing in this file calls CUDA.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <set>
#include <unordered_set>
#include <vector>

namespace flam {
namespace cuda {

constexpr int64_t granularity = 512;
constexpr int64_t small_limit = int64_t(1) << 20;  // blocks up to this size come from small segments
constexpr int64_t small_segment = int64_t(2) << 20;
constexpr int64_t large_segment = int64_t(20) << 20;  // for blocks below half of it; larger ones get a segment of their own
constexpr int64_t segment_step = int64_t(2) << 20;

inline int64_t round_up(int64_t bytes, int64_t step) { return (bytes + step - 1) / step * step; }
inline int64_t segment_bytes(int64_t block_bytes) {
  if (block_bytes <= small_limit) return small_segment;
  return block_bytes < large_segment / 2 ? large_segment : round_up(block_bytes, segment_step);
}

struct pool;
struct block {
  char* address;
  int64_t bytes;
  cudaStream_t stream;                        // the only one that may get it again without waiting
  pool* home;                                 // null: it is a segment by itself and never reused
  block *before = nullptr, *after = nullptr;  // neighbours in its segment
  enum { idle, live, waiting } state = live;  // waiting: freed, but other streams still use it
  bool small = false;
  int device = 0;
  std::vector<cudaStream_t> users = {};  // other streams
};

// Segments that serve each other's requests: those of a device, or those of one graph.
struct pool {
  struct order {
    bool operator()(const block* a, const block* b) const {
      if (a->stream != b->stream) return a->stream < b->stream;
      return a->bytes != b->bytes ? a->bytes < b->bytes : a->address < b->address;
    }
  };
  std::set<block*, order> small, large;  // idle blocks
  std::unordered_set<block*> segments;   // the first block of each

  block* take(cudaStream_t stream, int64_t bytes);  // the smallest that fits, split; null if there is none
  void give(block* b);                              // idle from now on, merged with idle neighbours; `b` may be gone afterwards
  block* adopt(block* segment, int64_t bytes);      // a new segment; returns its first `bytes` as a live block

  std::vector<block*> unused_segments() const;  // idle as a whole
  void forget(block* segment);                  // takes one of those out
  void move_to(pool* other);                    // all segments, whatever their state
  void leave_stream(cudaStream_t stream);       // blocks of this stream become the default stream's
  int64_t largest_idle() const;

 private:
  std::set<block*, order>& idle_like(const block* b) { return b->small ? small : large; }
  void split(block* b, int64_t bytes);
};

}  // namespace cuda
}  // namespace flam
