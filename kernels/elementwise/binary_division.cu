// y = f(x1, x2): quotients, remainders, common divisors.
#include "binary.cuh"

const flam::binary_row flam::binary_division[] = {
#define FLAM_BINARY(name, dtypes, result) FLAM_BINARY_ROW(division, name, dtypes, result)
#include "../../bindings/ops.def"
};
