// Convolutions by a vendor library, opened when first needed; kernels do without it where it is missing.
#pragma once
#include <cstdint>

namespace flam {
namespace cuda {

// x: [batch, in, spatial...], w: [out, in / groups, kernel...], y: [batch, out, spatial...], all contiguous, nd spatial dimensions.
// dtype: float16, bfloat16, float32, float64.
struct dnn_convolution {
  int32_t dtype, nd;
  int64_t batch, in, out, groups;
  int64_t x[3], y[3], kernel[3], stride[3], padding[3], dilation[3];
};
enum class dnn_pass : int32_t { forward, backward_input, backward_weight };

bool dnn_found();           // FLAMBEAU_CUDNN=off does without (the emulation does unless it is "on")
const char* dnn_why_not();  // why it was not found, or ""
int dnn_version();          // as the library counts, 91900 and so on; 0 = not found

// Writes y, x or w from the other two, without bias, on the current stream. False, with nothing done: the library cannot do this one.
bool dnn_convolve(dnn_pass pass, const dnn_convolution& c, void* x, void* w, void* y);

}  // namespace cuda
}  // namespace flam
