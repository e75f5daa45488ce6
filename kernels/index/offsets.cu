// numbers[s] = sum over k of index_k[s] factor_k (offsets.cuh). One thread per position s of the indices' shape.
#include "offsets.cuh"

using namespace flam;

namespace {
template <class K>
__global__ void __launch_bounds__(256) index_numbers_kernel(K* numbers, K none, const __grid_constant__ index_list list) {
  const uint32_t s = blockIdx.x * 256 + threadIdx.x;
  if (s >= list.n) return;
  int64_t sum;
  const bool good = list.number(s, sum);
  if (numbers) numbers[s] = good ? K(sum) : none;
}
}  // namespace

namespace flam {
inline namespace FLAM_ISA {

template <class K>
void number_positions(const index_list& list, K* numbers, K none) {
  if (list.n == 0) return;
  cuda::launch("index_numbers", &index_numbers_kernel<K>, cuda::blocks_for(list.n, 256), 256, 0, numbers, none, list);
}
template void number_positions<int64_t>(const index_list&, int64_t*, int64_t);
template void number_positions<uint32_t>(const index_list&, uint32_t*, uint32_t);
template void number_positions<uint64_t>(const index_list&, uint64_t*, uint64_t);

void check_indices(const flam_tensor& index, int dim, int64_t size) {
  index_list list(index);
  list.add(index, size, dim, 1);
  number_positions<int64_t>(list, nullptr, 0);
}

}  // namespace FLAM_ISA
}  // namespace flam
