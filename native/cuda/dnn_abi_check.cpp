// Where cuDNN's header is installed, the declarations that this library made by hand must equal the real ones.
#include <cuda_runtime.h>

#if !defined(FLAM_EMULATED) && __has_include(<cudnn_graph.h>)
#include <cudnn_graph.h>

#include <type_traits>

#include "cudnn_abi.h"

#define FLAM_SAME(own, real) static_assert(static_cast<long long>(own) == static_cast<long long>(real), #real)

namespace flam {
namespace cudnn {

FLAM_SAME(success, CUDNN_STATUS_SUCCESS);
FLAM_SAME(data_float, CUDNN_DATA_FLOAT);
FLAM_SAME(data_double, CUDNN_DATA_DOUBLE);
FLAM_SAME(data_half, CUDNN_DATA_HALF);
FLAM_SAME(data_bfloat16, CUDNN_DATA_BFLOAT16);
FLAM_SAME(cross_correlation, CUDNN_CROSS_CORRELATION);
FLAM_SAME(heuristics_fallback, CUDNN_HEUR_MODE_FALLBACK);
FLAM_SAME(heuristics_a, CUDNN_HEUR_MODE_A);
FLAM_SAME(note_tensor_core, CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
FLAM_SAME(note_down_convert_inputs, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS);
FLAM_SAME(note_nondeterministic, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC);
static_assert(most_notes >= CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
FLAM_SAME(type_handle, CUDNN_TYPE_HANDLE);
FLAM_SAME(type_data_type, CUDNN_TYPE_DATA_TYPE);
FLAM_SAME(type_int64, CUDNN_TYPE_INT64);
FLAM_SAME(type_float, CUDNN_TYPE_FLOAT);
FLAM_SAME(type_double, CUDNN_TYPE_DOUBLE);
FLAM_SAME(type_void_ptr, CUDNN_TYPE_VOID_PTR);
FLAM_SAME(type_convolution_mode, CUDNN_TYPE_CONVOLUTION_MODE);
FLAM_SAME(type_heur_mode, CUDNN_TYPE_HEUR_MODE);
FLAM_SAME(type_numerical_note, CUDNN_TYPE_NUMERICAL_NOTE);
FLAM_SAME(type_backend_descriptor, CUDNN_TYPE_BACKEND_DESCRIPTOR);
FLAM_SAME(convolution_descriptor, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
FLAM_SAME(engine_descriptor, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
FLAM_SAME(engine_config_descriptor, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
FLAM_SAME(engine_heuristics_descriptor, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
FLAM_SAME(execution_plan_descriptor, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
FLAM_SAME(forward_descriptor, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
FLAM_SAME(backward_filter_descriptor, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR);
FLAM_SAME(backward_data_descriptor, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
FLAM_SAME(operation_graph_descriptor, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
FLAM_SAME(variant_pack_descriptor, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
FLAM_SAME(tensor_descriptor, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
FLAM_SAME(convolution_comp_type, CUDNN_ATTR_CONVOLUTION_COMP_TYPE);
FLAM_SAME(convolution_conv_mode, CUDNN_ATTR_CONVOLUTION_CONV_MODE);
FLAM_SAME(convolution_dilations, CUDNN_ATTR_CONVOLUTION_DILATIONS);
FLAM_SAME(convolution_filter_strides, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
FLAM_SAME(convolution_post_paddings, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
FLAM_SAME(convolution_pre_paddings, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
FLAM_SAME(convolution_spatial_dims, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS);
FLAM_SAME(heuristics_mode, CUDNN_ATTR_ENGINEHEUR_MODE);
FLAM_SAME(heuristics_operation_graph, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
FLAM_SAME(heuristics_results, CUDNN_ATTR_ENGINEHEUR_RESULTS);
FLAM_SAME(engine_config_engine, CUDNN_ATTR_ENGINECFG_ENGINE);
FLAM_SAME(plan_handle, CUDNN_ATTR_EXECUTION_PLAN_HANDLE);
FLAM_SAME(plan_engine_config, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
FLAM_SAME(plan_workspace_size, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
FLAM_SAME(forward_alpha, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA);
FLAM_SAME(forward_beta, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA);
FLAM_SAME(forward_conv_desc, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
FLAM_SAME(forward_w, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W);
FLAM_SAME(forward_x, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X);
FLAM_SAME(forward_y, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
FLAM_SAME(backward_data_alpha, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA);
FLAM_SAME(backward_data_beta, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA);
FLAM_SAME(backward_data_conv_desc, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC);
FLAM_SAME(backward_data_w, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W);
FLAM_SAME(backward_data_dx, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX);
FLAM_SAME(backward_data_dy, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY);
FLAM_SAME(backward_filter_alpha, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA);
FLAM_SAME(backward_filter_beta, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA);
FLAM_SAME(backward_filter_conv_desc, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC);
FLAM_SAME(backward_filter_dw, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW);
FLAM_SAME(backward_filter_x, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X);
FLAM_SAME(backward_filter_dy, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY);
FLAM_SAME(graph_handle, CUDNN_ATTR_OPERATIONGRAPH_HANDLE);
FLAM_SAME(graph_ops, CUDNN_ATTR_OPERATIONGRAPH_OPS);
FLAM_SAME(tensor_byte_alignment, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
FLAM_SAME(tensor_data_type, CUDNN_ATTR_TENSOR_DATA_TYPE);
FLAM_SAME(tensor_dimensions, CUDNN_ATTR_TENSOR_DIMENSIONS);
FLAM_SAME(tensor_strides, CUDNN_ATTR_TENSOR_STRIDES);
FLAM_SAME(tensor_unique_id, CUDNN_ATTR_TENSOR_UNIQUE_ID);
FLAM_SAME(variant_pack_unique_ids, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
FLAM_SAME(variant_pack_data_pointers, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
FLAM_SAME(variant_pack_workspace, CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
FLAM_SAME(engine_numerical_note, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE);
FLAM_SAME(sizeof(int), sizeof(cudnnStatus_t));
FLAM_SAME(sizeof(int), sizeof(cudnnDataType_t));
FLAM_SAME(sizeof(int), sizeof(cudnnConvolutionMode_t));
FLAM_SAME(sizeof(int), sizeof(cudnnBackendHeurMode_t));
FLAM_SAME(sizeof(int), sizeof(cudnnBackendNumericalNote_t));

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
FLAM_CUDNN_API(FLAM_SAME_FUNCTION)

}  // namespace cudnn
}  // namespace flam
#endif
