// y = f(x): roots, roundings, predicates.
#include "unary.cuh"

const flam::unary_row flam::unary_rounding[] = {
#define FLAM_UNARY(name, dtypes, result) FLAM_UNARY_ROW(rounding, name, dtypes, result)
#include "../../bindings/ops.def"
};
