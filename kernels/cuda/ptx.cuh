// The only file with inline PTX.  Each wrapper has a PTX body and an emulated body with the same contract.
#pragma once
#include "device.cuh"
#include <cstring>
namespace flam::arch {

#if !defined(FLAM_EMULATED)
__device__ __forceinline__ uint32_t smem_u32(const void* p) { return static_cast<uint32_t>(__cvta_generic_to_shared(p)); }
// 16-byte global -> shared copy; `bytes` < 16 zero-fills the rest
__device__ __forceinline__ void cp_async16(void* dst, const void* src, int bytes = 16) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(smem_u32(dst)), "l"(src), "r"(bytes) : "memory");
}
__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }
template <int N> __device__ __forceinline__ void cp_async_wait() { asm volatile("cp.async.wait_group %0;\n" ::"n"(N) : "memory"); }
__device__ __forceinline__ void ldmatrix_x4(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(smem_u32(row)) : "memory");
}
__device__ __forceinline__ void ldmatrix_x2_trans(uint32_t (&r)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];\n" : "=r"(r[0]), "=r"(r[1]) : "r"(smem_u32(row)) : "memory");
}
__device__ __forceinline__ void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
__device__ __forceinline__ void named_barrier(int id, int threads) { asm volatile("bar.sync %0, %1;\n" ::"r"(id), "r"(threads) : "memory"); }

#else
inline void cp_async16(void* dst, const void* src, int bytes = 16) { ::flam_emu::cp_async_issue(dst, src, (unsigned)bytes, 16); }
inline void cp_async_commit() { ::flam_emu::cp_async_commit(); }
template <int N> inline void cp_async_wait() { ::flam_emu::cp_async_wait(N); }
// PTX ISA fragment layouts: lane = 4 * group + tig
FLAM_EMU_NOSAN inline void ldmatrix_fn(::flam_emu::Lanes& l, int count, bool trans) {
  for (int m = 0; m < count; ++m)
    for (int lane = 0; lane < 32; ++lane) {
      uint16_t e[2];
      for (int j = 0; j < 2; ++j) {
        int r = lane / 4, c = lane % 4 * 2 + j;
        if (trans) std::swap(r, c);
        const void* row = *static_cast<const void* const*>(l.in[m * 8 + r]);
        memcpy(&e[j], static_cast<const char*>(row) + 2 * c, 2);
      }
      static_cast<uint32_t*>(l.out[lane])[m] = e[0] | (uint32_t)e[1] << 16;
    }
}
FLAM_EMU_NOSAN inline void ldmatrix_x4_fn(::flam_emu::Lanes& l, unsigned) { ldmatrix_fn(l, 4, false); }
FLAM_EMU_NOSAN inline void ldmatrix_x2t_fn(::flam_emu::Lanes& l, unsigned) { ldmatrix_fn(l, 2, true); }
inline void check_row(const void* row, ::flam_emu::Loc loc) {
  if (reinterpret_cast<uintptr_t>(row) % 16) ::flam_emu::device_fail("ldmatrix row address not 16-byte aligned", loc);
  ::flam_emu::shared_offset(row); ::flam_emu::note_read(row, 16);
}
inline void ldmatrix_x4(uint32_t (&r)[4], const void* row, ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  check_row(row, loc); ::flam_emu::warp_collective(~0u, &ldmatrix_x4_fn, "ldmatrix.x4", &row, r, false, loc);
}
inline void ldmatrix_x2_trans(uint32_t (&r)[2], const void* row, ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  if ((threadIdx.x & 31) < 16) check_row(row, loc);      // lanes 16..31 give no address
  ::flam_emu::warp_collective(~0u, &ldmatrix_x2t_fn, "ldmatrix.x2.trans", &row, r, false, loc);
}
struct MmaIn { const uint32_t* a; const uint32_t* b; float* d; };
FLAM_EMU_NOSAN inline float bf16_bits(uint32_t w, int hi) { uint32_t u = hi ? w & 0xffff0000u : w << 16; float f; memcpy(&f, &u, 4); return f; }
FLAM_EMU_NOSAN inline void mma_bf16_fn(::flam_emu::Lanes& l, unsigned) {
  float A[16][16], B[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    auto* in = static_cast<const MmaIn*>(l.in[lane]); int g = lane / 4, t = lane % 4;
    for (int r = 0; r < 4; ++r) for (int h = 0; h < 2; ++h) A[g + (r & 1) * 8][t * 2 + (r >> 1) * 8 + h] = bf16_bits(in->a[r], h);
    for (int r = 0; r < 2; ++r) for (int h = 0; h < 2; ++h) B[t * 2 + r * 8 + h][g] = bf16_bits(in->b[r], h);
  }
  for (int lane = 0; lane < 32; ++lane) {
    float* d = static_cast<const MmaIn*>(l.in[lane])->d; int g = lane / 4, t = lane % 4;
    for (int i = 0; i < 4; ++i) {
      int row = g + (i >> 1) * 8, col = t * 2 + (i & 1); float s = 0;
      for (int k = 0; k < 16; ++k) s += A[row][k] * B[k][col];
      d[i] += s;
    }
  }
}
inline void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], ::flam_emu::Loc loc = ::flam_emu::Loc::current()) {
  MmaIn in{a, b, d}; ::flam_emu::warp_collective(~0u, &mma_bf16_fn, "mma.m16n8k16", &in, nullptr, false, loc);
}
inline void named_barrier(int id, int threads, ::flam_emu::Loc loc = ::flam_emu::Loc::current()) { ::flam_emu::barrier(id, (unsigned)threads, loc); }
#endif
}  // namespace flam::arch
