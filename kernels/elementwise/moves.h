// Moves between strided storage and contiguous tiles. Half types become float in the tile, everything else keeps its bits.
#pragma once
#include <cstring>

#include "../../native/view.h"

namespace flam {
inline namespace FLAM_ISA {

// Moves a block of [outer, inner] elements; strides in bytes belong to the storage side, the tile side is contiguous.
using mover = void (*)(char* storage, int64_t inner, int64_t inner_stride, int64_t outer, int64_t outer_stride, char* tile);

template <class T>
void gather_row(const char* from, int64_t n, int64_t stride, compute_t<T>* to) {
  if (stride == int64_t(sizeof(T))) {
    const T* x = reinterpret_cast<const T*>(from);
    for (int64_t i = 0; i < n; i++) to[i] = load(x[i]);
  } else if (stride == 0) {
    const compute_t<T> x = load(*reinterpret_cast<const T*>(from));
    for (int64_t i = 0; i < n; i++) to[i] = x;
  } else {
    for (int64_t i = 0; i < n; i++) to[i] = load(*reinterpret_cast<const T*>(from + i * stride));
  }
}

template <class T>
void scatter_row(char* to, int64_t n, int64_t stride, const compute_t<T>* from) {
  if (stride == int64_t(sizeof(T))) {
    T* y = reinterpret_cast<T*>(to);
    for (int64_t i = 0; i < n; i++) store(y[i], from[i]);
  } else {
    for (int64_t i = 0; i < n; i++) store(*reinterpret_cast<T*>(to + i * stride), from[i]);
  }
}

// Blocks with rows shorter than a vector go column by column, so that the loop over rows is the long one.
constexpr int64_t short_row = 8;

template <class T>
void gather(char* from, int64_t inner, int64_t inner_stride, int64_t outer, int64_t outer_stride, char* tile) {
  auto* to = reinterpret_cast<compute_t<T>*>(tile);
  if (inner < short_row && outer > inner) {
    for (int64_t i = 0; i < inner; i++)
      for (int64_t o = 0; o < outer; o++) to[o * inner + i] = load(*reinterpret_cast<const T*>(from + o * outer_stride + i * inner_stride));
    return;
  }
  for (int64_t o = 0; o < outer; o++) gather_row<T>(from + o * outer_stride, inner, inner_stride, to + o * inner);
}

template <class T>
void scatter(char* to, int64_t inner, int64_t inner_stride, int64_t outer, int64_t outer_stride, char* tile) {
  auto* from = reinterpret_cast<const compute_t<T>*>(tile);
  if (inner < short_row && outer > inner) {
    for (int64_t i = 0; i < inner; i++)
      for (int64_t o = 0; o < outer; o++) store(*reinterpret_cast<T*>(to + o * outer_stride + i * inner_stride), from[o * inner + i]);
    return;
  }
  for (int64_t o = 0; o < outer; o++) scatter_row<T>(to + o * outer_stride, inner, inner_stride, from + o * inner);
}

inline bool is_half(int32_t dtype) { return dtype == FLAM_FLOAT16 || dtype == FLAM_BFLOAT16; }
// The dtype a value has inside a tile.
inline int32_t tile_dtype(int32_t dtype) { return is_half(dtype) ? int32_t(FLAM_FLOAT32) : dtype; }

inline mover gather_of(int32_t dtype) {
  if (dtype == FLAM_FLOAT16) return gather<float16>;
  if (dtype == FLAM_BFLOAT16) return gather<bfloat16>;
  mover move = nullptr;
  by_size(dtype, [&](auto bits) { move = gather<decltype(bits)>; });
  return move;
}

inline mover scatter_of(int32_t dtype) {
  if (dtype == FLAM_FLOAT16) return scatter<float16>;
  if (dtype == FLAM_BFLOAT16) return scatter<bfloat16>;
  mover move = nullptr;
  by_size(dtype, [&](auto bits) { move = scatter<decltype(bits)>; });
  return move;
}

}  // namespace FLAM_ISA
}  // namespace flam
