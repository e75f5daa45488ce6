// A contiguous row taken in packs of 16 bytes wherever it begins: pack p holds elements p V - head .. p V - head + V - 1, head being the
// elements between the last 16-byte boundary and the row. What a pack holds outside the row is not touched.
#pragma once
#include "../cuda/device.cuh"

namespace flam {
inline namespace FLAM_ISA {

template <class T>
__device__ __forceinline__ int row_head(const T* row) {
  return int(reinterpret_cast<uintptr_t>(row) % 16 / sizeof(T));
}
template <int V>
__device__ __forceinline__ int64_t row_packs(int64_t n, int head) {
  return (n + head + V - 1) / V;
}

// row[first ..]; `outside` where that is before or behind the row. Fetch several packs before opening any: opening waits for the load.
template <class T, int V>
__device__ __forceinline__ packed<T, V> fetch_pack(const T* row, int64_t first, int64_t n, compute_t<T> outside) {
  if (first >= 0 && first + V <= n && reinterpret_cast<uintptr_t>(row + first) % (sizeof(T) * V) == 0)
    return *reinterpret_cast<const packed<T, V>*>(row + first);
  packed<T, V> p;
  FLAM_UNROLL for (int j = 0; j < V; j++) {
    if (first + j >= 0 && first + j < n) p.v[j] = row[first + j];
    else store(p.v[j], outside);
  }
  return p;
}
template <class T, int V>
__device__ __forceinline__ void open_pack(const packed<T, V>& p, compute_t<T> (&v)[V]) {
  FLAM_UNROLL for (int j = 0; j < V; j++) v[j] = load(p.v[j]);
}
template <class T, int V>
__device__ __forceinline__ void read_pack(const T* row, int64_t first, int64_t n, compute_t<T> outside, compute_t<T> (&v)[V]) {
  open_pack(fetch_pack<T, V>(row, first, n, outside), v);
}

template <class T, int V>
__device__ __forceinline__ void write_pack(T* row, int64_t first, int64_t n, const compute_t<T> (&v)[V]) {
  if (first >= 0 && first + V <= n && reinterpret_cast<uintptr_t>(row + first) % (sizeof(T) * V) == 0) {
    packed<T, V> p;
    FLAM_UNROLL for (int j = 0; j < V; j++) store(p.v[j], v[j]);
    *reinterpret_cast<packed<T, V>*>(row + first) = p;
    return;
  }
  FLAM_UNROLL for (int j = 0; j < V; j++) if (first + j >= 0 && first + j < n) store(row[first + j], v[j]);
}

// The same with any distance between elements.
template <class T, int V>
__device__ __forceinline__ void read_items(const T* row, int64_t stride, int64_t first, int64_t n, compute_t<T> outside,
                                           compute_t<T> (&v)[V]) {
  if (stride == 1) return read_pack<T, V>(row, first, n, outside, v);
  FLAM_UNROLL for (int j = 0; j < V; j++) v[j] = first + j >= 0 && first + j < n ? load(row[(first + j) * stride]) : outside;
}
template <class T, int V>
__device__ __forceinline__ void write_items(T* row, int64_t stride, int64_t first, int64_t n, const compute_t<T> (&v)[V]) {
  if (stride == 1) return write_pack<T, V>(row, first, n, v);
  FLAM_UNROLL for (int j = 0; j < V; j++) if (first + j >= 0 && first + j < n) store(row[(first + j) * stride], v[j]);
}

}  // namespace FLAM_ISA
}  // namespace flam
