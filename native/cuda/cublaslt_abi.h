// The part of cuBLASLt's C ABI in use (majors 12 and 13), declared here so that no toolkit is needed to build and no library to load.
// native/cuda/abi_check.cpp compares every line with the real header where there is one.
#pragma once
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace flam {
namespace cublaslt {

using handle = struct handle_opaque*;
using matmul_desc = struct matmul_desc_opaque*;
using layout = struct layout_opaque*;
using preference = struct preference_opaque*;

enum : int { success = 0, not_supported = 15 };                                               // cublasStatus_t
enum : int { r_32f = 0, r_64f = 1, r_16f = 2, r_16bf = 14 };                                  // cudaDataType_t
enum : int { compute_32f = 68, compute_64f = 70, compute_32f_fast_tf32 = 77 };                // cublasComputeType_t
enum : int { op_n = 0, op_t = 1 };                                                            // cublasOperation_t
enum : int { desc_trans_a = 3, desc_trans_b = 4, desc_epilogue = 7, desc_bias_pointer = 8 };  // cublasLtMatmulDescAttributes_t
enum : int { epilogue_default = 1, epilogue_bias = 4 };                                       // cublasLtEpilogue_t
enum : int { layout_batch_count = 5, layout_batch_stride = 6 };                               // cublasLtMatrixLayoutAttribute_t
enum : int {                                                                                  // cublasLtMatmulPreferenceAttributes_t
  preference_workspace = 1,
  preference_reduction = 3,
  preference_align_a = 5,
  preference_align_b = 6,
  preference_align_c = 7,
  preference_align_d = 8
};
enum : uint32_t { reduce_in_place = 1, reduce_in_compute_type = 2 };  // cublasLtReductionScheme_t

struct algorithm {
  uint64_t data[8];
};
struct heuristic {
  algorithm algo;
  size_t workspace_bytes;
  int state;
  float waves;
  int reserved[4];
};

#define FLAM_CUBLASLT_API(X)                                                                                                        \
  X(int, cublasLtCreate, (handle*))                                                                                                 \
  X(int, cublasLtDestroy, (handle))                                                                                                 \
  X(size_t, cublasLtGetVersion, (void))                                                                                             \
  X(int, cublasLtMatmulDescCreate, (matmul_desc*, int compute, int scale))                                                          \
  X(int, cublasLtMatmulDescDestroy, (matmul_desc))                                                                                  \
  X(int, cublasLtMatmulDescSetAttribute, (matmul_desc, int attribute, const void*, size_t))                                         \
  X(int, cublasLtMatrixLayoutCreate, (layout*, int type, uint64_t rows, uint64_t columns, int64_t lead))                            \
  X(int, cublasLtMatrixLayoutDestroy, (layout))                                                                                     \
  X(int, cublasLtMatrixLayoutSetAttribute, (layout, int attribute, const void*, size_t))                                            \
  X(int, cublasLtMatmulPreferenceCreate, (preference*))                                                                             \
  X(int, cublasLtMatmulPreferenceDestroy, (preference))                                                                             \
  X(int, cublasLtMatmulPreferenceSetAttribute, (preference, int attribute, const void*, size_t))                                    \
  X(int, cublasLtMatmulAlgoGetHeuristic,                                                                                            \
    (handle, matmul_desc, layout a, layout b, layout c, layout d, preference, int wanted, heuristic*, int* found))                  \
  X(int, cublasLtMatmul,                                                                                                            \
    (handle, matmul_desc, const void* alpha, const void* a, layout, const void* b, layout, const void* beta, const void* c, layout, \
     void* d, layout, const algorithm*, void* workspace, size_t workspace_bytes, cudaStream_t))

}  // namespace cublaslt
}  // namespace flam
