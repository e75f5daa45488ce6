// y = f(x): angles, error functions, gamma functions.
#include "unary.cuh"

const flam::unary_row flam::unary_special[] = {
#define FLAM_UNARY(name, dtypes, result) FLAM_UNARY_ROW(special, name, dtypes, result)
#include "../../bindings/ops.def"
};
