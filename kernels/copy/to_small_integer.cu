// y = x for y of bool, uint8, int8 or int16.
#include "conversion.cuh"

using namespace flam;

void flam::convert_to_small_integer(const flam_tensor& x, const flam_tensor& y) {
  switch (y.dtype) {
    case FLAM_BOOL:
      return convert_from_any<bool>(x, y);
    case FLAM_UINT8:
      return convert_from_any<uint8_t>(x, y);
    case FLAM_INT8:
      return convert_from_any<int8_t>(x, y);
    default:
      return convert_from_any<int16_t>(x, y);
  }
}
