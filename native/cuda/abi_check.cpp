// Where the CUDA toolkit is installed, the declarations that this library made by hand must equal the real ones.
#include <cuda_runtime.h>

#if !defined(FLAM_EMULATED) && __has_include(<cublasLt.h>)
#include <cublasLt.h>

#include <type_traits>

#include "cublaslt_abi.h"

#define FLAM_SAME(own, real) static_assert(static_cast<long long>(own) == static_cast<long long>(real), #real)

namespace flam {
namespace cublaslt {

FLAM_SAME(success, CUBLAS_STATUS_SUCCESS);
FLAM_SAME(not_supported, CUBLAS_STATUS_NOT_SUPPORTED);
FLAM_SAME(r_32f, CUDA_R_32F);
FLAM_SAME(r_64f, CUDA_R_64F);
FLAM_SAME(r_16f, CUDA_R_16F);
FLAM_SAME(r_16bf, CUDA_R_16BF);
FLAM_SAME(compute_32f, CUBLAS_COMPUTE_32F);
FLAM_SAME(compute_64f, CUBLAS_COMPUTE_64F);
FLAM_SAME(compute_32f_fast_tf32, CUBLAS_COMPUTE_32F_FAST_TF32);
FLAM_SAME(op_n, CUBLAS_OP_N);
FLAM_SAME(op_t, CUBLAS_OP_T);
FLAM_SAME(desc_trans_a, CUBLASLT_MATMUL_DESC_TRANSA);
FLAM_SAME(desc_trans_b, CUBLASLT_MATMUL_DESC_TRANSB);
FLAM_SAME(desc_epilogue, CUBLASLT_MATMUL_DESC_EPILOGUE);
FLAM_SAME(desc_bias_pointer, CUBLASLT_MATMUL_DESC_BIAS_POINTER);
FLAM_SAME(epilogue_default, CUBLASLT_EPILOGUE_DEFAULT);
FLAM_SAME(epilogue_bias, CUBLASLT_EPILOGUE_BIAS);
FLAM_SAME(layout_batch_count, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT);
FLAM_SAME(layout_batch_stride, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET);
FLAM_SAME(preference_workspace, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
FLAM_SAME(preference_reduction, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK);
FLAM_SAME(preference_align_a, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
FLAM_SAME(preference_align_b, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
FLAM_SAME(preference_align_c, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
FLAM_SAME(preference_align_d, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
FLAM_SAME(reduce_in_place, CUBLASLT_REDUCTION_SCHEME_INPLACE);
FLAM_SAME(reduce_in_compute_type, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);
FLAM_SAME(sizeof(algorithm), sizeof(cublasLtMatmulAlgo_t));
FLAM_SAME(sizeof(heuristic), sizeof(cublasLtMatmulHeuristicResult_t));
FLAM_SAME(offsetof(heuristic, workspace_bytes), offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
FLAM_SAME(offsetof(heuristic, state), offsetof(cublasLtMatmulHeuristicResult_t, state));
FLAM_SAME(sizeof(int), sizeof(cublasStatus_t));
FLAM_SAME(sizeof(int), sizeof(cudaDataType_t));
FLAM_SAME(sizeof(int), sizeof(cublasComputeType_t));

// Signatures, argument by argument: integers and enumerations by size, pointers as pointers.
template <class T>
constexpr int kind() {
  if constexpr (std::is_pointer_v<T>) return 1000;
  else return int(sizeof(T));
}
template <class Function>
struct signature;
template <class R, class... A>
struct signature<R (*)(A...)> {
  static constexpr int count = 1 + int(sizeof...(A));
  static constexpr int kinds[] = {kind<R>(), kind<A>()...};
};
template <class A, class B>
constexpr bool same() {
  if (signature<A>::count != signature<B>::count) return false;
  for (int i = 0; i < signature<A>::count; i++)
    if (signature<A>::kinds[i] != signature<B>::kinds[i]) return false;
  return true;
}
#define FLAM_SAME_FUNCTION(R, name, args) static_assert(same<R(*) args, decltype(&::name)>(), #name);
FLAM_CUBLASLT_API(FLAM_SAME_FUNCTION)

}  // namespace cublaslt
}  // namespace flam
#endif
