// y = f(x1, x2; a): powers and other transcendental functions, gradients of activations.
#include "binary.cuh"

const flam::binary_row flam::binary_function[] = {
#define FLAM_BINARY(name, dtypes, result) FLAM_BINARY_ROW(function, name, dtypes, result)
#include "../../bindings/ops.def"
};
