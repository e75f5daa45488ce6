// y = f(x1, x2; a): sums, products, short gradients.
#include "binary.cuh"

const flam::binary_row flam::binary_arithmetic[] = {
#define FLAM_BINARY(name, dtypes, result) FLAM_BINARY_ROW(arithmetic, name, dtypes, result)
#include "../../bindings/ops.def"
};
