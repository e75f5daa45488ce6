// A contiguous row taken in packs of 16 bytes wherever it begins: pack p holds elements p V - head .. p V - head + V - 1, head being the
// elements between the last 16-byte boundary and the row. What a pack holds outside the row is not touched.
#pragma once
#include "../cuda/ptx.cuh"

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

// A pack as four words: one load or store, and four registers that nothing takes apart until open_words does.
using pack_words = packed<uint32_t, 4>;
template <class T>
constexpr bool is_half = !std::is_same_v<T, compute_t<T>>;

template <class T>
__device__ __forceinline__ void open_words(const pack_words& words, compute_t<T> (&v)[per_16_bytes<T>]) {
  if constexpr (std::is_same_v<T, bfloat16>) {
    FLAM_UNROLL for (int i = 0; i < 4; i++) {
      v[2 * i] = bits_float(words.v[i] << 16);
      v[2 * i + 1] = bits_float(words.v[i] & 0xffff0000u);
    }
  } else {
    packed<T, per_16_bytes<T>> p;
    std::memcpy(&p, &words, 16);
    open_pack(p, v);
  }
}
template <class T>
__device__ __forceinline__ pack_words close_words(const compute_t<T> (&v)[per_16_bytes<T>]) {
  pack_words words;
  if constexpr (is_half<T>) {
    FLAM_UNROLL for (int i = 0; i < 4; i++) words.v[i] = arch::pack2<T>(v[2 * i], v[2 * i + 1]);
  } else {
    std::memcpy(&words, v, 16);
  }
  return words;
}

// fetch_pack as words. Whole: the row begins at a multiple of 16 bytes and n % V == 0, so that a pack lies inside the row or behind it.
template <bool Whole, class T>
__device__ __forceinline__ pack_words fetch_words(const T* row, int64_t first, int64_t n, compute_t<T> outside) {
  constexpr int V = per_16_bytes<T>;
  const bool inside = Whole ? first < n : first >= 0 && first + V <= n && reinterpret_cast<uintptr_t>(row + first) % 16 == 0;
  if (inside) return *reinterpret_cast<const pack_words*>(row + first);
  packed<T, V> p;
  FLAM_UNROLL for (int j = 0; j < V; j++) {
    if (!Whole && first + j >= 0 && first + j < n) p.v[j] = row[first + j];
    else store(p.v[j], outside);
  }
  pack_words words;
  std::memcpy(&words, &p, 16);
  return words;
}

template <class T, int V>
__device__ __forceinline__ void write_pack(T* row, int64_t first, int64_t n, const compute_t<T> (&v)[V]) {
  if (first >= 0 && first + V <= n && reinterpret_cast<uintptr_t>(row + first) % (sizeof(T) * V) == 0) {
    if constexpr (sizeof(T) * V == 16) {
      *reinterpret_cast<pack_words*>(row + first) = close_words<T>(v);
    } else {
      packed<T, V> p;
      FLAM_UNROLL for (int j = 0; j < V; j++) store(p.v[j], v[j]);
      *reinterpret_cast<packed<T, V>*>(row + first) = p;
    }
    return;
  }
  FLAM_UNROLL for (int j = 0; j < V; j++) if (first + j >= 0 && first + j < n) store(row[first + j], v[j]);
}

// write_pack where fetch_words<Whole> read.
template <bool Whole, class T>
__device__ __forceinline__ void write_words(T* row, int64_t first, int64_t n, const compute_t<T> (&v)[per_16_bytes<T>]) {
  if constexpr (!Whole) write_pack<T, per_16_bytes<T>>(row, first, n, v);
  else if (first < n) *reinterpret_cast<pack_words*>(row + first) = close_words<T>(v);
}

// A row as `lead` numbers in front of the first 16-byte boundary, whole packs, and `rest` numbers behind them.
struct row_span {
  int lead, rest;
  int64_t packs;
};
template <class T>
__device__ __forceinline__ row_span span_of(const T* row, int64_t n) {
  constexpr int V = per_16_bytes<T>;
  const int before = (V - row_head(row)) % V, lead = n < before ? int(n) : before;
  return {lead, int((n - lead) % V), (n - lead) / V};
}

// read_pack and write_pack with any distance between elements.
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

// Over groups of `lanes` neighbouring threads, a power of two up to 32; each gets the result.
template <class C, class Op>
__device__ __forceinline__ C group_reduce(C v, const Op& op, int lanes) {
  for (int m = lanes >> 1; m > 0; m >>= 1) v = op(v, __shfl_xor_sync(full_mask, v, m));
  return v;
}

}  // namespace FLAM_ISA
}  // namespace flam
