// One view on its way through the flat positions of a walk: hands out contiguous runs, directly where its memory has them, else
// through a tile on the stack.
#pragma once
#include "moves.h"

namespace flam {
inline namespace FLAM_ISA {

constexpr int64_t tile_length = 512;  // three tiles of doubles stay in the L1 cache
constexpr int64_t longest_period = tile_length / 2;
constexpr int64_t direct_row = 64;  // shorter rows are gathered: a loop call per row would cost more than the copy

class cursor {
 public:
  // View k of the walk, from flat position `begin` on. An output stages results in the tile; an input is read into it.
  template <int N>
  cursor(const walk<N>& w, int k, int32_t dtype, int64_t begin, bool output)
      : at_(w.data[k]), element_(dtype_bytes(dtype)), tile_element_(dtype_bytes(tile_dtype(dtype))) {
    int inner = 0;
    sizes_[0] = w.sizes[0];
    strides_[0] = w.strides[k][0] * element_;
    for (int d = 1; d < w.rank; d++) {
      const int64_t stride = w.strides[k][d] * element_;
      const bool merges = strides_[inner] == stride * w.sizes[d];
      if (!merges) inner++;
      sizes_[inner] = merges ? sizes_[inner] * w.sizes[d] : w.sizes[d];
      strides_[inner] = stride;
    }
    rank_ = inner + 1;
    move_ = output ? scatter_of(dtype) : gather_of(dtype);
    const bool as_stored = !is_half(dtype), unit = strides_[inner] == element_;
    if (as_stored && unit && (rank_ == 1 || sizes_[inner] >= direct_row)) how_ = access::direct;
    else if (!output && strides_[0] == 0 && w.count() / sizes_[0] <= longest_period) how_ = access::periodic;
    if (how_ == access::periodic) fill_pattern(begin);
    else seek(begin);
  }

  // How many elements the next take may ask for.
  int64_t limit() const {
    if (how_ != access::direct) return tile_length;
    return rank_ == 1 ? INT64_MAX : sizes_[rank_ - 1] - index_[rank_ - 1];
  }

  // The next n elements of an input.
  char* take(int64_t n) {
    char* p = place(n);
    if (how_ == access::tiled) step(n);
    return p;
  }

  // Where the next n results go, before `put` brings them home.
  char* place(int64_t n) {
    if (how_ == access::periodic) {
      char* p = tile_ + phase_ * tile_element_;
      phase_ = (phase_ + n) % period_;
      return p;
    }
    if (how_ == access::tiled) return tile_;
    char* p = at_;
    skip_in_row(n);
    return p;
  }
  void put(int64_t n) {
    if (how_ == access::tiled) step(n);
  }

 private:
  enum class access { tiled, direct, periodic };

  void seek(int64_t position) {
    for (int d = rank_ - 1; d >= 0; d--) {
      index_[d] = position % sizes_[d];
      position /= sizes_[d];
      at_ += index_[d] * strides_[d];
    }
  }

  // An operand repeated along its outermost dimension, such as a scalar or a bias: one pattern serves every tile.
  void fill_pattern(int64_t begin) {
    period_ = 1;
    for (int d = 1; d < rank_; d++) period_ *= sizes_[d];
    if (rank_ == 1) {
      index_[0] = 0;
      sizes_[0] = tile_length + longest_period;
    } else {
      seek(0);
    }
    phase_ = begin % period_;
    step(period_ == 1 ? tile_length : period_);
    const int64_t bytes = period_ * tile_element_, all = (tile_length + period_) * tile_element_;
    for (int64_t filled = bytes; filled < all && period_ > 1; filled *= 2)
      std::memcpy(tile_ + filled, tile_, size_t(filled < all - filled ? filled : all - filled));
  }

  void skip_in_row(int64_t n) {
    const int inner = rank_ - 1;
    index_[inner] += n;
    at_ += n * strides_[inner];
    carry(inner);
  }
  void carry(int from) {
    for (int d = from; d > 0 && index_[d] == sizes_[d]; d--) {
      at_ += strides_[d - 1] - sizes_[d] * strides_[d];
      index_[d] = 0;
      index_[d - 1]++;
    }
  }

  // Moves n elements between the tile and the memory, as blocks of whole rows where possible.
  void step(int64_t n) {
    const int inner = rank_ - 1;
    for (int64_t done = 0; done < n;) {
      const int64_t size = sizes_[inner], left = n - done;
      char* tile = tile_ + done * tile_element_;
      if (inner > 0 && index_[inner] == 0 && left >= size) {
        const int64_t rows = std::min(left / size, sizes_[inner - 1] - index_[inner - 1]);
        move_(at_, size, strides_[inner], rows, strides_[inner - 1], tile);
        index_[inner - 1] += rows;
        at_ += rows * strides_[inner - 1];
        carry(inner - 1);
        done += rows * size;
      } else {
        const int64_t part = std::min(left, size - index_[inner]);
        move_(at_, part, strides_[inner], 1, 0, tile);
        skip_in_row(part);
        done += part;
      }
    }
  }

  char* at_;
  int64_t element_, tile_element_;
  mover move_;
  access how_ = access::tiled;
  int rank_;
  int64_t period_ = 1, phase_ = 0;
  int64_t sizes_[FLAM_MAX_RANK], strides_[FLAM_MAX_RANK], index_[FLAM_MAX_RANK];
  alignas(64) char tile_[(tile_length + longest_period) * sizeof(double)];
};

}  // namespace FLAM_ISA
}  // namespace flam
