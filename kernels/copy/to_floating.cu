// y = x for y of a floating dtype.
#include "conversion.cuh"

using namespace flam;

void flam::convert_to_floating(const flam_tensor& x, const flam_tensor& y) {
  by_floating(y.dtype, [&](auto zero) { convert_from_any<decltype(zero)>(x, y); });
}
