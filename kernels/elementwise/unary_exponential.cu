// y = f(x): exponentials, logarithms, hyperbolic functions.
#include "unary.cuh"

const flam::unary_row flam::unary_exponential[] = {
#define FLAM_UNARY(name, dtypes, result) FLAM_UNARY_ROW(exponential, name, dtypes, result)
#include "../../bindings/ops.def"
};
