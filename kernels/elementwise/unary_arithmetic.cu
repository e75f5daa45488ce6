// y = f(x): signs, squares, relu.
#include "unary.cuh"

const flam::unary_row flam::unary_arithmetic[] = {
#define FLAM_UNARY(name, dtypes, result) FLAM_UNARY_ROW(arithmetic, name, dtypes, result)
#include "../../bindings/ops.def"
};
