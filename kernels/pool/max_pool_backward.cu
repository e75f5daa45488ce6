// dx[plane, indices[plane, o]] += dy[plane, o]. Outputs that share a maximum are chained: head[i] -> next[o] -> ..., built by exchanges
// in any order; then one thread per input adds its chain by ascending o, so that sums never depend on timing.
// Planes that fit keep their chains in shared memory, one block for a few planes; larger ones keep them in scratch memory.
#include "pool.cuh"

using namespace flam;

namespace {

template <class Link>
constexpr Link chain_end = Link(~Link(0));

// The sum of dy along a chain, four smallest positions at a time.
template <class T, class Link>
__device__ __forceinline__ compute_t<T> sum_in_order(Link head, const Link* next, const T* dy) {
  using C = compute_t<T>;
  C sum = C(0);
  Link floor = 0;
  for (bool more = head != chain_end<Link>; more;) {
    Link low[4] = {chain_end<Link>, chain_end<Link>, chain_end<Link>, chain_end<Link>};
    for (Link o = head; o != chain_end<Link>; o = next[o]) {
      Link moving = o < floor ? chain_end<Link> : o;
      FLAM_UNROLL for (int k = 0; k < 4; k++) {
        const Link kept = smaller(low[k], moving);
        moving = larger(low[k], moving);
        low[k] = kept;
      }
    }
    FLAM_UNROLL for (int k = 0; k < 4; k++) if (low[k] != chain_end<Link>) sum += load(dy[low[k]]);
    more = low[3] != chain_end<Link>;
    floor = low[3] + 1;
  }
  return sum;
}

// One block: `group` neighbouring planes of `in` and `out` elements.
template <class T>
__global__ void max_pool_backward_shared_kernel(const T* dy, const int64_t* indices, T* dx, int64_t planes, int in, int out, int group,
                                                divider by_out, cuda::fault* fault) {
  FLAM_DYNAMIC_SHARED(uint32_t, head);
  const int64_t first = int64_t(blockIdx.x) * group;
  const int count = int(smaller<int64_t>(group, planes - first));
  uint32_t* next = head + group * in;
  dy += first * out, indices += first * out, dx += first * in;
  for (int i = int(threadIdx.x); i < count * in; i += int(blockDim.x)) head[i] = chain_end<uint32_t>;
  __syncthreads();
  for (int o = int(threadIdx.x); o < count * out; o += int(blockDim.x)) {
    const int64_t at = indices[o];
    if (uint64_t(at) >= uint64_t(in)) report_range(fault, at, 1, in);
    else next[o] = atomicExch(&head[int(by_out.quotient(uint32_t(o))) * in + int(at)], uint32_t(o));
  }
  __syncthreads();
  for (int i = int(threadIdx.x); i < count * in; i += int(blockDim.x)) store(dx[i], sum_in_order(head[i], next, dy));
}

template <class Div>
using link_of = std::conditional_t<std::is_same_v<Div, narrow>, uint32_t, unsigned long long>;

template <class Div>
__global__ void __launch_bounds__(256) max_pool_link_kernel(const int64_t* indices, link_of<Div>* head, link_of<Div>* next, int64_t in,
                                                            Div by_out, typename Div::index n, cuda::fault* fault) {
  using Index = typename Div::index;
  const Index o = thread_index<Index>();
  if (o >= n) return;
  const int64_t at = indices[o];
  if (uint64_t(at) >= uint64_t(in)) report_range(fault, at, 1, in);
  else next[o] = atomicExch(&head[int64_t(by_out.quotient(o)) * in + at], link_of<Div>(o));
}

template <class T, class Link>
__global__ void __launch_bounds__(256) max_pool_collect_kernel(const T* dy, const Link* head, const Link* next, T* dx, int64_t n) {
  const int64_t i = thread_index<int64_t>();
  if (i < n) store(dx[i], sum_in_order(head[i], next, dy));
}

template <class T, class Div>
void through_scratch(const T* dy, const int64_t* indices, T* dx, int64_t planes, int64_t in, int64_t out) {
  using Link = link_of<Div>;
  const cuda::scratch<Link> head(planes * in), next(planes * out);
  cuda::check(cudaMemsetAsync(head.get(), 0xff, size_t(planes * in) * sizeof(Link), cuda::current_stream()), "cudaMemsetAsync");
  cuda::launch("max_pool_link", &max_pool_link_kernel<Div>, cuda::blocks_for(planes * out, 256), 256, 0, indices, head.get(), next.get(),
               in, Div(out), planes * out, cuda::fault_slot());
  cuda::launch("max_pool_collect", &max_pool_collect_kernel<T, Link>, cuda::blocks_for(planes * in, 256), 256, 0, dy, head.get(),
               next.get(), dx, planes * in);
}

// Planes for one block: as many as 48 KB of chains hold, but enough blocks for every multiprocessor.
int64_t group_of(int64_t planes, int64_t chains) {
  const int64_t room = std::max<int64_t>(48 * 1024 / (4 * chains), 1), fair = planes / (4 * cuda::multiprocessors()) + 1;
  return std::min(room, fair);
}

template <class T>
void scatter(const flam_tensor& dy, const flam_tensor& indices, const flam_tensor& dx) {
  const int64_t planes = dx.sizes[0], in = numel(dx) / planes, out = numel(dy) / planes, chains = in + out;
  const int64_t* where = data<int64_t>(indices);
  if (4 * chains <= cuda::shared_memory_limit() - 1024) {
    const int64_t group = group_of(planes, chains), block = std::clamp<int64_t>((group * in + 127) / 128 * 32, 64, 1024);
    return cuda::launch("max_pool_backward_shared", &max_pool_backward_shared_kernel<T>, cuda::blocks_for(planes, group), unsigned(block),
                        size_t(4 * group * chains), data<T>(dy), where, data<T>(dx), planes, int(in), int(out), int(group),
                        divider(uint32_t(std::max<int64_t>(out, 1))), cuda::fault_slot());
  }
  // A bounded amount of scratch memory: planes go through it a batch at a time.
  const int64_t most = std::max(in, out), batch = std::max<int64_t>((int64_t(1) << 26) / most, 1);
  for (int64_t p = 0; p < planes; p += batch) {
    const int64_t count = std::min(batch, planes - p);
    by_index(count * most, [&](auto div) {
      through_scratch<T, decltype(div)>(data<T>(dy) + p * out, where + p * out, data<T>(dx) + p * in, count, in, out);
    });
  }
}

}  // namespace

FLAM_CUDA_OP(max_pool_backward, (const flam_tensor* dy, const flam_tensor* indices, const flam_tensor* dx), (dy, indices, dx)) {
  if (numel(*dx) == 0) return;
  by_floating(dy->dtype, [&](auto zero) { scatter<decltype(zero)>(*dy, *indices, *dx); });
}
