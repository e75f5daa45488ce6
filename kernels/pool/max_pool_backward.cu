// dx[plane, indices[plane, o]] += dy[plane, o]. Outputs that share a maximum are chained: head[i] -> next[o] -> ..., built by exchanges
// in any order; then one thread per input adds its chain by ascending o, so that sums never depend on timing.
// Planes that fit keep their chains and dy in shared memory, one block for a few planes; larger ones keep them in scratch memory.
#include "pool.cuh"

using namespace flam;

namespace {

template <class Link>
constexpr Link chain_end = Link(~Link(0));

// Links are written in packs of 16 bytes.
FLAM_HD int padded_chains(int links) { return (links + 3) / 4 * 4; }

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

// V neighbouring sums. Most chains have one output or none: those are read together, before any longer one.
template <int V, class T, class Link>
__device__ __forceinline__ packed<T, V> sums_of_chains(const packed<Link, V>& head, const Link* next, const T* dy) {
  using C = compute_t<T>;
  C first[V];
  Link second[V];
  FLAM_UNROLL for (int v = 0; v < V; v++) {
    first[v] = C(0), second[v] = chain_end<Link>;
    if (head.v[v] != chain_end<Link>) first[v] = load(dy[head.v[v]]), second[v] = next[head.v[v]];
  }
  packed<T, V> sums;
  FLAM_UNROLL for (int v = 0; v < V; v++)
      store(sums.v[v], second[v] == chain_end<Link> ? C(0) + first[v] : sum_in_order(head.v[v], next, dy));
  return sums;
}

// One block: `group` neighbouring planes of `in` and `out` elements, of which it keeps the chains and dy. It writes dx V at a time.
template <int V, class T>
__global__ void __launch_bounds__(1024) max_pool_backward_shared_kernel(const T* dy, const int64_t* indices, T* dx, int64_t planes, int in,
                                                                        int out, int group, divider by_out, cuda::fault* fault) {
  FLAM_DYNAMIC_SHARED(uint32_t, head);
  constexpr int U = 4;  // loads in flight
  const int64_t first = int64_t(blockIdx.x) * group;
  const int count = int(smaller<int64_t>(group, planes - first)), inputs = count * in, outputs = count * out, step = int(blockDim.x);
  uint32_t* const next = head + padded_chains(group * in);
  T* const kept = reinterpret_cast<T*>(next + padded_chains(group * out));
  dy += first * out, indices += first * out, dx += first * in;
  packed<uint32_t, 4> ends;
  FLAM_UNROLL for (int v = 0; v < 4; v++) ends.v[v] = chain_end<uint32_t>;
  for (int i = int(threadIdx.x); i < padded_chains(inputs) / 4; i += step) reinterpret_cast<packed<uint32_t, 4>*>(head)[i] = ends;
  __syncthreads();
  for (int o = int(threadIdx.x); o < outputs; o += U * step) {
    int64_t at[U] = {};
    T value[U] = {};
    FLAM_UNROLL for (int u = 0; u < U; u++) if (o + u * step < outputs) at[u] = indices[o + u * step], value[u] = dy[o + u * step];
    FLAM_UNROLL for (int u = 0; u < U; u++) {
      const int k = o + u * step;
      if (k >= outputs) break;
      kept[k] = value[u];
      if (uint64_t(at[u]) >= uint64_t(in)) report_range(fault, at[u], 1, in);
      else next[k] = atomicExch(&head[int(by_out.quotient(uint32_t(k))) * in + int(at[u])], uint32_t(k));
    }
  }
  __syncthreads();
  for (int i = int(threadIdx.x) * V; i < inputs; i += step * V) {
    const auto heads = *reinterpret_cast<const packed<uint32_t, V>*>(head + i);
    *reinterpret_cast<packed<T, V>*>(dx + i) = sums_of_chains(heads, next, kept);
  }
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

// What one block does: planes, bytes of shared memory, threads.
struct shared_part {
  int group;
  size_t bytes;
  unsigned threads;
};

// Three packs of 4 inputs a thread, blocks enough for every multiprocessor; of large planes a block has threads as it has shared memory.
shared_part part_of(int64_t planes, int64_t in, int64_t out, int64_t element) {
  const auto bytes = [&](int64_t group) {
    return size_t(4 * padded_chains(int(group * in)) + 4 * padded_chains(int(group * out)) + element * group * out);
  };
  const int64_t fair = planes / (8 * cuda::multiprocessors()) + 1, wanted = std::clamp<int64_t>(3072 / in, 1, fair);
  int64_t group = std::min(wanted, planes);
  while (group > 1 && int64_t(bytes(group)) > 32 * 1024) group--;
  const int64_t packs = (group * in + 3) / 4, most = std::clamp<int64_t>(int64_t(bytes(group)) / 100, 256, 1024);
  const int64_t rounds = std::max<int64_t>(packs / most, 1), threads = ((packs + rounds - 1) / rounds + 31) / 32 * 32;
  return {int(group), bytes(group), unsigned(std::min<int64_t>(threads, 1024))};
}

template <int V, class T>
void through_shared_memory(const T* dy, const int64_t* indices, T* dx, int64_t planes, int64_t in, int64_t out) {
  const shared_part part = part_of(planes, in, out, sizeof(T));
  cuda::launch("max_pool_backward_shared", &max_pool_backward_shared_kernel<V, T>, cuda::blocks_for(planes, part.group), part.threads,
               part.bytes, dy, indices, dx, planes, int(in), int(out), part.group, divider(uint32_t(std::max<int64_t>(out, 1))),
               cuda::fault_slot());
}

template <class T>
void scatter(const flam_tensor& dy, const flam_tensor& indices, const flam_tensor& dx) {
  constexpr int V = std::min(per_16_bytes<T>, 4);
  const int64_t planes = dx.sizes[0], in = numel(dx) / planes, out = numel(dy) / planes;
  const int64_t* where = data<int64_t>(indices);
  if (4 * (in + out) + int64_t(sizeof(T)) * out + 32 <= cuda::shared_memory_limit() - 1024) {
    if (in % V == 0 && aligned_to(dx.data, sizeof(T) * V))
      return through_shared_memory<V>(data<T>(dy), where, data<T>(dx), planes, in, out);
    return through_shared_memory<1>(data<T>(dy), where, data<T>(dx), planes, in, out);
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
