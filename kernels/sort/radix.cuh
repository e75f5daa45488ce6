// Sorting by digits of 8 bits from the least significant one up, stable: what sort, topk and the sorted way of scatter use.
#pragma once
#include "key.cuh"

namespace flam {
inline namespace FLAM_ISA {

// sorted = keys in order, order[i] = where sorted[i] stood. Keys are below 2^bits; n below 2^32. K is uint32_t or uint64_t.
template <class K>
void radix_sort_keys(const K* keys, K* sorted, uint32_t* order, int64_t n, int bits);

// Longest row that one block sorts in shared memory.
template <class K>
constexpr int64_t longest_block_row = sizeof(K) == 8 ? 4096 : 8192;

// The first `kept` of each row of contiguous x [rows, n] in order, and where they stood: values, indices [rows, kept]. values may be x
// where kept == n.
template <class T>
void sort_rows_by_digits(const T* x, T* values, int64_t* indices, int64_t rows, int64_t n, int64_t kept, bool descending);
template <class T>
void sort_short_rows(const T* x, T* values, int64_t* indices, int64_t rows, int64_t n, int64_t kept, bool descending);

}  // namespace FLAM_ISA
}  // namespace flam
