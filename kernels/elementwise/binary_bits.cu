// y = f(x1, x2): extrema and bits.
#include "binary.cuh"

const flam::binary_row flam::binary_bits[] = {
#define FLAM_BINARY(name, dtypes, result) FLAM_BINARY_ROW(bits, name, dtypes, result)
#include "../../bindings/ops.def"
};
