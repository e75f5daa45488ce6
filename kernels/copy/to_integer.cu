// y = x for y of int32 or int64.
#include "conversion.cuh"

using namespace flam;

void flam::convert_to_integer(const flam_tensor& x, const flam_tensor& y) {
  if (y.dtype == FLAM_INT32) convert_from_any<int32_t>(x, y);
  else convert_from_any<int64_t>(x, y);
}
