// means[o] = sum x / n and squares[o] = sum (x - mean)^2 for each output o of l; squares may be NULL.
#pragma once
#include "layout.h"

namespace flam {
inline namespace FLAM_ISA {

void moments(const reduce_layout& l, const flam_tensor& x, double* means, double* squares);

}  // namespace FLAM_ISA
}  // namespace flam
