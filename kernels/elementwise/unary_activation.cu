// y = f(x; a, b): activations.
#include "unary.cuh"

const flam::unary_row flam::unary_activation[] = {
#define FLAM_UNARY(name, dtypes, result) FLAM_UNARY_ROW(activation, name, dtypes, result)
#include "../../bindings/ops.def"
};
