// The part of cuDNN's graph ABI in use (major 9), declared here so that no toolkit is needed to build and no library to load.
// native/cuda/dnn_abi_check.cpp compares every line with the real header where there is one.
#pragma once
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace flam {
namespace cudnn {

using handle = struct handle_opaque*;
using descriptor = void*;

enum : int { success = 0 };                                                                    // cudnnStatus_t
enum : int { data_float = 0, data_double = 1, data_half = 2, data_bfloat16 = 9 };              // cudnnDataType_t
enum : int { cross_correlation = 1 };                                                          // cudnnConvolutionMode_t
enum : int { heuristics_fallback = 2, heuristics_a = 3 };                                      // cudnnBackendHeurMode_t
enum : int { note_tensor_core = 0, note_down_convert_inputs = 1, note_nondeterministic = 4 };  // cudnnBackendNumericalNote_t
constexpr int most_notes = 64;                                                                 // more than any version has
enum : int {                                                                                   // cudnnBackendAttributeType_t
  type_handle = 0,
  type_data_type = 1,
  type_int64 = 3,
  type_float = 4,
  type_double = 5,
  type_void_ptr = 6,
  type_convolution_mode = 7,
  type_heur_mode = 8,
  type_numerical_note = 11,
  type_backend_descriptor = 15
};
enum : int {  // cudnnBackendDescriptorType_t
  convolution_descriptor = 1,
  engine_descriptor = 2,
  engine_config_descriptor = 3,
  engine_heuristics_descriptor = 4,
  execution_plan_descriptor = 5,
  forward_descriptor = 10,
  backward_filter_descriptor = 11,
  backward_data_descriptor = 12,
  operation_graph_descriptor = 15,
  variant_pack_descriptor = 16,
  tensor_descriptor = 17
};
enum : int {  // cudnnBackendAttributeName_t
  convolution_comp_type = 100,
  convolution_conv_mode = 101,
  convolution_dilations = 102,
  convolution_filter_strides = 103,
  convolution_post_paddings = 104,
  convolution_pre_paddings = 105,
  convolution_spatial_dims = 106,
  heuristics_mode = 200,
  heuristics_operation_graph = 201,
  heuristics_results = 202,
  engine_config_engine = 300,
  plan_handle = 400,
  plan_engine_config = 401,
  plan_workspace_size = 402,
  forward_alpha = 700,
  forward_beta = 701,
  forward_conv_desc = 702,
  forward_w = 703,
  forward_x = 704,
  forward_y = 705,
  backward_data_alpha = 706,
  backward_data_beta = 707,
  backward_data_conv_desc = 708,
  backward_data_w = 709,
  backward_data_dx = 710,
  backward_data_dy = 711,
  backward_filter_alpha = 712,
  backward_filter_beta = 713,
  backward_filter_conv_desc = 714,
  backward_filter_dw = 715,
  backward_filter_x = 716,
  backward_filter_dy = 717,
  graph_handle = 800,
  graph_ops = 801,
  tensor_byte_alignment = 900,
  tensor_data_type = 901,
  tensor_dimensions = 902,
  tensor_strides = 903,
  tensor_unique_id = 906,
  variant_pack_unique_ids = 1000,
  variant_pack_data_pointers = 1001,
  variant_pack_workspace = 1003,
  engine_numerical_note = 1303
};

#define FLAM_CUDNN_API(X)                                                                                        \
  X(size_t, cudnnGetVersion, (void))                                                                             \
  X(const char*, cudnnGetErrorString, (int status))                                                              \
  X(int, cudnnCreate, (handle*))                                                                                 \
  X(int, cudnnSetStream, (handle, cudaStream_t))                                                                 \
  X(int, cudnnBackendCreateDescriptor, (int kind, descriptor*))                                                  \
  X(int, cudnnBackendDestroyDescriptor, (descriptor))                                                            \
  X(int, cudnnBackendFinalize, (descriptor))                                                                     \
  X(int, cudnnBackendSetAttribute, (descriptor, int attribute, int type, int64_t count, const void*))            \
  X(int, cudnnBackendGetAttribute, (descriptor, int attribute, int type, int64_t wanted, int64_t* count, void*)) \
  X(int, cudnnBackendExecute, (handle, descriptor plan, descriptor variant_pack))

}  // namespace cudnn
}  // namespace flam
