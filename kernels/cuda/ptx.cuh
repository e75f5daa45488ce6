// Inline PTX is here and, for Hopper, in ptx_sm90.cuh: asynchronous copies, matrix fragments, tensor-core products, quick exp2, 1 / x.
// Each wrapper has a PTX body and an emulated body with the same contract; layouts are those of the PTX ISA, with lane = 4 g + t.
#pragma once
#include "device.cuh"

namespace flam::arch {

#if !defined(FLAM_EMULATED)

// An address in shared memory; adding to it moves by bytes.
using shared_address = uint32_t;
__device__ __forceinline__ shared_address to_shared(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }

// Copies 16 (4) bytes global -> shared; of fewer `bytes`, the rest becomes zero.
__device__ __forceinline__ void cp_async16(shared_address to, const void* from, int bytes = 16) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}
__device__ __forceinline__ void cp_async4(shared_address to, const void* from, int bytes = 4) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;\n" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }
// Until at most N of this thread's groups are under way.
template <int N>
__device__ __forceinline__ void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(N) : "memory");
}

// Four 8x8 matrices of 16-bit elements; lane l gives the address of row l % 8 of matrix l / 8, and gets of each the elements
// [g][2t], [g][2t + 1] (trans: [2t][g], [2t + 1][g]).
__device__ __forceinline__ void ldmatrix_x4(uint32_t (&r)[4], shared_address row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(row)
               : "memory");
}
__device__ __forceinline__ void ldmatrix_x4_trans(uint32_t (&r)[4], shared_address row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(row)
               : "memory");
}

// d += a b, 16x16 by 16x8.  d: [g][2t], [g][2t + 1], [g + 8][2t], [g + 8][2t + 1]
// a: pairs at [g][2t], [g + 8][2t], [g][2t + 8], [g + 8][2t + 8];  b: pairs at [2t][g], [2t + 8][g]
template <class T>
__device__ __forceinline__ void mma_m16n8k16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  if constexpr (std::is_same_v<T, float16>)
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  else
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// A float rounded to TF32 (10 bits of mantissa), as the product below expects it.
__device__ __forceinline__ uint32_t to_tf32(uint32_t x) {
  uint32_t r;
  asm("cvt.rna.tf32.f32 %0, %1;\n" : "=r"(r) : "f"(__uint_as_float(x)));
  return r;
}
// d += a b in TF32, 16x8 by 8x8; d as above.  a: [g][t], [g + 8][t], [g][t + 4], [g + 8][t + 4];  b: [t][g], [t + 4][g]
__device__ __forceinline__ void mma_m16n8k8(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Two numbers rounded to T: low in the low half.
template <class T>
__device__ __forceinline__ uint32_t pack2(float low, float high) {
  uint32_t r;
  if constexpr (std::is_same_v<T, float16>) asm("cvt.rn.f16x2.f32 %0, %1, %2;\n" : "=r"(r) : "f"(high), "f"(low));
  else asm("cvt.rn.bf16x2.f32 %0, %1, %2;\n" : "=r"(r) : "f"(high), "f"(low));
  return r;
}

// 2^x within 2 ULP; results below 2^-126 are 0
__device__ __forceinline__ float exp2_quick(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;\n" : "=f"(y) : "f"(x));
  return y;
}

// 1 / x within 1 ULP; results below 2^-126 are 0
__device__ __forceinline__ float reciprocal_quick(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;\n" : "=f"(y) : "f"(x));
  return y;
}

__device__ __forceinline__ void named_barrier(int id, int threads) {
  asm volatile("bar.sync %0, %1;\n" ::"r"(id), "r"(threads) : "memory");
}

#else

using shared_address = const char*;
inline shared_address to_shared(const void* p) { return static_cast<const char*>(p); }

inline void cp_async16(shared_address to, const void* from, int bytes = 16) {
  ::flam_emu::cp_async_issue(const_cast<char*>(to), from, unsigned(bytes), 16);
}
inline void cp_async4(shared_address to, const void* from, int bytes = 4) {
  ::flam_emu::cp_async_issue(const_cast<char*>(to), from, unsigned(bytes), 4);
}
inline void cp_async_commit() { ::flam_emu::cp_async_commit(); }
template <int N>
inline void cp_async_wait() {
  ::flam_emu::cp_async_wait(N);
}

template <bool trans>
FLAM_EMU_NOSAN inline void ldmatrix_lanes(::flam_emu::Lanes& l, unsigned) {
  for (int m = 0; m < 4; m++)
    for (int lane = 0; lane < 32; lane++) {
      uint16_t e[2];
      for (int j = 0; j < 2; j++) {
        const int g = lane / 4, t = lane % 4 * 2 + j, row = trans ? t : g, col = trans ? g : t;
        memcpy(&e[j], *static_cast<const char* const*>(l.in[m * 8 + row]) + 2 * col, 2);
      }
      static_cast<uint32_t*>(l.out[lane])[m] = e[0] | uint32_t(e[1]) << 16;
    }
}
inline void check_row(shared_address row, ::flam_emu::Loc loc) {
  if (reinterpret_cast<uintptr_t>(row) % 16) ::flam_emu::device_fail("ldmatrix row address not 16-byte aligned", loc);
  ::flam_emu::shared_offset(row);
  ::flam_emu::note_read(row, 16);
}
inline void ldmatrix_x4(uint32_t (&r)[4], shared_address row, ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  check_row(row, loc);
  ::flam_emu::warp_collective(~0u, &ldmatrix_lanes<false>, "ldmatrix.x4", &row, r, false, loc);
}
inline void ldmatrix_x4_trans(uint32_t (&r)[4], shared_address row, ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  check_row(row, loc);
  ::flam_emu::warp_collective(~0u, &ldmatrix_lanes<true>, "ldmatrix.x4.trans", &row, r, false, loc);
}

struct mma_operands {
  const uint32_t* a;
  uint32_t b[2];
  float* d;
};
template <class T>
FLAM_EMU_NOSAN inline float from_bits16(uint16_t bits) {
  if constexpr (std::is_same_v<T, float16>) {
    _Float16 h;
    memcpy(&h, &bits, 2);
    return float(h);
  } else {
    const uint32_t u = uint32_t(bits) << 16;
    float x;
    memcpy(&x, &u, 4);
    return x;
  }
}
template <class T>
FLAM_EMU_NOSAN inline void mma_lanes(::flam_emu::Lanes& l, unsigned) {
  float a[16][16], b[16][8], d[16][8] = {};
  for (int lane = 0; lane < 32; lane++) {
    const auto* in = static_cast<const mma_operands*>(l.in[lane]);
    const int g = lane / 4, t = lane % 4 * 2;
    for (int r = 0; r < 4; r++)
      for (int h = 0; h < 2; h++) a[g + (r & 1) * 8][t + (r >> 1) * 8 + h] = from_bits16<T>(uint16_t(in->a[r] >> 16 * h));
    for (int r = 0; r < 2; r++)
      for (int h = 0; h < 2; h++) b[t + r * 8 + h][g] = from_bits16<T>(uint16_t(in->b[r] >> 16 * h));
  }
  for (int row = 0; row < 16; row++)
    for (int k = 0; k < 16; k++)
      for (int col = 0; col < 8; col++) d[row][col] += a[row][k] * b[k][col];
  for (int lane = 0; lane < 32; lane++)
    for (int i = 0; i < 4; i++) static_cast<const mma_operands*>(l.in[lane])->d[i] += d[lane / 4 + (i >> 1) * 8][lane % 4 * 2 + (i & 1)];
}
template <class T>
inline void mma_m16n8k16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1,
                         ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  const mma_operands in{a, {b0, b1}, d};
  ::flam_emu::warp_collective(~0u, &mma_lanes<T>, "mma.m16n8k16", &in, nullptr, false, loc);
}

inline uint32_t to_tf32(uint32_t x) { return (x & 0x7fffffff) > 0x7f800000 ? 0x7fffffff : (x + 0x1000) & ~0x1fffu; }
FLAM_EMU_NOSAN inline void mma_tf32_lanes(::flam_emu::Lanes& l, unsigned) {
  float a[16][8], b[8][8], d[16][8] = {};
  for (int lane = 0; lane < 32; lane++) {
    const auto* in = static_cast<const mma_operands*>(l.in[lane]);
    const int g = lane / 4, t = lane % 4;
    for (int r = 0; r < 4; r++) a[g + (r & 1) * 8][t + (r >> 1) * 4] = __uint_as_float(in->a[r] & ~0x1fffu);
    for (int r = 0; r < 2; r++) b[t + r * 4][g] = __uint_as_float(in->b[r] & ~0x1fffu);
  }
  for (int row = 0; row < 16; row++)
    for (int k = 0; k < 8; k++)
      for (int col = 0; col < 8; col++) d[row][col] += a[row][k] * b[k][col];
  for (int lane = 0; lane < 32; lane++)
    for (int i = 0; i < 4; i++) static_cast<const mma_operands*>(l.in[lane])->d[i] += d[lane / 4 + (i >> 1) * 8][lane % 4 * 2 + (i & 1)];
}
inline void mma_m16n8k8(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  const mma_operands in{a, {b0, b1}, d};
  ::flam_emu::warp_collective(~0u, &mma_tf32_lanes, "mma.m16n8k8", &in, nullptr, false, loc);
}

template <class T>
inline uint32_t pack2(float low, float high) {
  T a, b;
  store(a, low), store(b, high);
  return a.bits | uint32_t(b.bits) << 16;
}

inline float exp2_quick(float x) {
  const float y = exp2f(x);
  return y < 1.17549435e-38f ? 0.0f : y;
}

inline float reciprocal_quick(float x) {
  const float y = 1.0f / x;
  return std::fabs(y) < 1.17549435e-38f ? 0.0f : y;
}

inline void named_barrier(int id, int threads, ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  ::flam_emu::barrier(id, unsigned(threads), loc);
}
#endif

__device__ __forceinline__ void cp_async16(void* to, const void* from, int bytes = 16) { cp_async16(to_shared(to), from, bytes); }

}  // namespace flam::arch
