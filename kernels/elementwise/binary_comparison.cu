// y = f(x1, x2): comparisons and logic, y bool.
#include "binary.cuh"

const flam::binary_row flam::binary_comparison[] = {
#define FLAM_BINARY(name, dtypes, result) FLAM_BINARY_ROW(comparison, name, dtypes, result)
#include "../../bindings/ops.def"
};
