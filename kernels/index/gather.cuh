// y[p] = x[p + offset(index[p])] for every position p of y: what gather, index_select and index_get share.
// A thread moves four elements, each as wide as the views allow (16 bytes where whole rows are copied): first four indices, then four
// elements of x are loaded, so that both kinds of loads overlap.
#pragma once
#include "index.cuh"

namespace flam {
inline namespace FLAM_ISA {

// y, index, x have y's sizes; x has stride 0 where the index moves instead.
void gather_positions(const flam_tensor& y, const flam_tensor& index, const flam_tensor& x, index_rule rule);

}  // namespace FLAM_ISA
}  // namespace flam
