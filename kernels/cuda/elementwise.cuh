// y = f(x1, .., xk) for views of any strides:  elementwise<Y, X1, .., Xk>::run(f, {&y, &x1, .., &xk})
// Y, X: element types of the views (bool: uint8_t).  f: a functor with device call operator on the computing types, passed by value.
// An operand may also be a number: a view of CPU memory that repeats one element. It is read at the call and travels as an argument.
// Dimensions are merged as far as all views allow (walk, native/view.h). A thread takes `unroll` vectors of up to 16 bytes of the widest
// type, a block's width apart, and loads them all before it computes. Vectors lie along the innermost dimension; where its size, its
// strides or the addresses forbid them they shrink to one element. Positions are found with 32-bit multiplications, offsets are 64 bits.
#pragma once
#include <utility>

#include "ptx.cuh"

namespace flam {
inline namespace FLAM_ISA {

// How a kernel reads an operand: element by element, one element for a whole vector, or from its argument.
enum class access : int32_t { along, repeated, number };

template <int N>  // view 0 is y
struct elementwise_plan {
  char* data[N];
  uint64_t numbers[N];
  access how[N];
  uint32_t count;  // elements of y
  int32_t rank;
  divider sizes[FLAM_MAX_RANK];       // innermost first, that one in vectors; the outermost is not needed
  int32_t strides[N][FLAM_MAX_RANK];  // elements for one step
};

#if defined(FLAM_EMULATED)
constexpr int64_t piece_limit = int64_t(1) << 17;  // so small that tests reach the split
#else
constexpr int64_t piece_limit = int64_t(1) << 31;
#endif

// The emulation compiles these once for all kernels of a file, which takes a third of the time.
#if defined(FLAM_EMULATED)
#define FLAM_ELEMENTWISE_PART __attribute__((noinline))
#else
#define FLAM_ELEMENTWISE_PART __device__ __forceinline__
#endif

// ---- device -----------------------------------------------------------------------------------------------------

template <int N>
struct element_offsets {
  int64_t at[N] = {};
};

template <int N>
FLAM_ELEMENTWISE_PART element_offsets<N> locate(const elementwise_plan<N>& p, uint32_t i) {
  element_offsets<N> o;
  for (int d = 0; d < p.rank - 1; d++) {
    const uint32_t outer = p.sizes[d].quotient(i), inner = i - outer * p.sizes[d].d;
    FLAM_UNROLL for (int k = 0; k < N; k++) o.at[k] += int64_t(int32_t(inner)) * p.strides[k][d];
    i = outer;
  }
  FLAM_UNROLL for (int k = 0; k < N; k++) o.at[k] += int64_t(int32_t(i)) * p.strides[k][p.rank - 1];
  return o;
}

// One store; bytes are put together to words, or compilers store them in parts.
template <int V, class T>
__device__ __forceinline__ void store_vector(T* y, const packed<T, V>& value) {
  if constexpr (sizeof(T) == 1 && V >= 4) {
    packed<uint32_t, V / 4> words;
    FLAM_UNROLL for (int w = 0; w < V / 4; w++) {
      words.v[w] = uint32_t(uint8_t(value.v[4 * w])) | uint32_t(uint8_t(value.v[4 * w + 1])) << 8 |
                   uint32_t(uint8_t(value.v[4 * w + 2])) << 16 | uint32_t(uint8_t(value.v[4 * w + 3])) << 24;
    }
    *reinterpret_cast<packed<uint32_t, V / 4>*>(y) = words;
  } else {
    *reinterpret_cast<packed<T, V>*>(y) = value;
  }
}

template <int V, class T>
__device__ __forceinline__ packed<T, V> splat(T value) {
  packed<T, V> x;
  FLAM_UNROLL for (int v = 0; v < V; v++) x.v[v] = value;
  return x;
}

// V elements of operand k; of an incomplete vector the first one fills the rest.
template <int V, class T, int N>
FLAM_ELEMENTWISE_PART packed<T, V> fetch(const elementwise_plan<N>& p, int k, T number, int64_t offset, int elements) {
  if (p.how[k] == access::number) return splat<V>(number);
  const T* x = reinterpret_cast<const T*>(p.data[k]) + offset;
  if (V == 1 || p.how[k] == access::repeated) return splat<V>(*x);
  if (elements == V) return *reinterpret_cast<const packed<T, V>*>(x);
  packed<T, V> some;
  FLAM_UNROLL for (int v = 0; v < V; v++) some.v[v] = x[v < elements ? v : 0];
  return some;
}

template <int K, class T, int V>
struct operand_slot {
  packed<T, V> x;
};
// One vector of every operand, in registers.
template <class Sequence, int V, class... X>
struct operand_slots;
template <size_t... K, int V, class... X>
struct operand_slots<std::index_sequence<K...>, V, X...> : operand_slot<int(K), X, V>... {
  static constexpr int N = 1 + int(sizeof...(X));

  __device__ __forceinline__ void take_numbers([[maybe_unused]] const elementwise_plan<N>& p) {
    (memcpy(&(operand_slot<int(K), X, V>::x), &p.numbers[K + 1], sizeof(X)), ...);
  }
  template <class Numbers>
  __device__ __forceinline__ void fetch_all([[maybe_unused]] const elementwise_plan<N>& p, [[maybe_unused]] const Numbers& n,
                                            [[maybe_unused]] const element_offsets<N>& o, [[maybe_unused]] int elements) {
    ((operand_slot<int(K), X, V>::x = fetch<V, X>(p, int(K) + 1, n.template number<int(K), X>(), o.at[K + 1], elements)), ...);
  }
  template <int k, class T>
  __device__ __forceinline__ T number() const {
    return operand_slot<k, T, V>::x.v[0];
  }
  template <class Y, class F>
  FLAM_ELEMENTWISE_PART packed<Y, V> apply(const F& f) const {
    const auto result = [&]([[maybe_unused]] int v) { return compute_t<Y>(f(load(operand_slot<int(K), X, V>::x.v[v])...)); };
    packed<Y, V> y;
    if constexpr (sizeof(Y) == 2 && is_real<compute_t<Y>> && V % 2 == 0) {  // rounded in pairs
      FLAM_UNROLL for (int v = 0; v < V; v += 2) {
        const uint32_t pair = arch::pack2<Y>(result(v), result(v + 1));
        memcpy(&y.v[v], &pair, 4);
      }
      return y;
    }
    FLAM_UNROLL for (int v = 0; v < V; v++) store(y.v[v], result(v));
    return y;
  }
};

template <int V, class T>
FLAM_ELEMENTWISE_PART void put(T* y, const packed<T, V>& value, int elements) {
  if (elements == V) {
    store_vector(y, value);
  } else {
    FLAM_UNROLL for (int v = 0; v < V; v++) {
      if (v < elements) y[v] = value.v[v];
    }
  }
}

template <int V, int unroll, class F, class Y, class... X>
__global__ void __launch_bounds__(256) elementwise_kernel(const F f, const __grid_constant__ elementwise_plan<1 + sizeof...(X)> p) {
  using slots = operand_slots<std::index_sequence_for<X...>, V, X...>;
  Y* const y = reinterpret_cast<Y*>(p.data[0]);
  const uint32_t first = blockIdx.x * (blockDim.x * unroll) + threadIdx.x, whole = p.count / V;
  operand_slots<std::index_sequence_for<X...>, 1, X...> numbers;  // in registers before a branch asks for them
  numbers.take_numbers(p);
  if (unroll > 1 && (blockIdx.x + 1) * (blockDim.x * unroll) <= whole) {
    slots x[unroll];
    int64_t to[unroll];
    FLAM_UNROLL for (int u = 0; u < unroll; u++) {
      const auto o = locate(p, first + u * blockDim.x);
      to[u] = o.at[0];
      x[u].fetch_all(p, numbers, o, V);
    }
    FLAM_UNROLL for (int u = 0; u < unroll; u++) put<V>(y + to[u], x[u].template apply<Y>(f), V);
    return;
  }
  FLAM_NO_UNROLL for (uint32_t u = 0; u < unroll; u++) {
    const uint32_t i = first + u * blockDim.x;
    if (i * V >= p.count) return;
    const int elements = i < whole ? V : int(p.count - i * V);
    const auto o = locate(p, i);
    slots x;
    x.fetch_all(p, numbers, o, elements);
    put<V>(y + o.at[0], x.template apply<Y>(f), elements);
  }
}

// ---- host -------------------------------------------------------------------------------------------------------

// Whether an operand is a number of the caller's.
inline bool is_number(const flam_tensor& x) { return x.device_type == FLAM_CPU && repeats_one_value(x); }

// The views of one call: numbers have stride 0, everything else is on the device.
template <int N>
struct device_views {
  flam_tensor copies[N];
  const flam_tensor* list[N];
  bool number[N];

  explicit device_views(const flam_tensor* const (&views)[N]) {
    if (!on_cuda(views[0])) fail(FLAM_INVALID_ARGUMENT, "the result is on the CPU, an operand on CUDA");
    for (int k = 0; k < N; k++) {
      list[k] = views[k];
      number[k] = !on_cuda(views[k]);
      if (!number[k]) continue;
      if (!is_number(*views[k])) fail(FLAM_INVALID_ARGUMENT, "operand %d is on the CPU, the result on CUDA", k);
      copies[k] = *views[k];
      for (int64_t& stride : copies[k].strides) stride = 0;
      list[k] = &copies[k];
    }
  }
};

// Calls body(piece) on parts of w that have fewer than piece_limit elements and shorter strides.
template <int N, class Body>
void by_pieces(const walk<N>& w, const Body& body) {
  int cut = -1;
  for (int d = 0; d < w.rank && cut < 0; d++) {
    if (w.sizes[d] == 1) continue;
    bool far = w.count() >= piece_limit;
    for (int k = 0; k < N; k++) far = far || w.strides[k][d] >= piece_limit || w.strides[k][d] <= -piece_limit;
    if (far) cut = d;
  }
  if (cut < 0) return body(w);
  int64_t half = w.sizes[cut] / 2;
  if (half > 64) half -= half % 64;  // keeps vectors aligned
  walk<N> low = w, high = w;
  low.sizes[cut] = half;
  high.sizes[cut] -= half;
  for (int k = 0; k < N; k++) {
    high.data[k] += half * w.strides[k][cut] * w.bytes[k];
    if (half == 1) low.strides[k][cut] = 0;
    if (high.sizes[cut] == 1) high.strides[k][cut] = 0;
  }
  by_pieces(low, body);
  by_pieces(high, body);
}

// Whether vectors of V elements fit: inner strides 1 (or 0 for an operand), every row a whole number of aligned vectors.
template <int N>
bool takes_vectors(const walk<N>& w, int V, const bool (&number)[N]) {
  const int inner = w.rank - 1;
  if (w.strides[0][inner] != 1 || (w.rank > 1 && w.sizes[inner] % V != 0)) return false;
  for (int k = 0; k < N; k++) {
    if (number[k] || w.strides[k][inner] == 0) continue;
    if (w.strides[k][inner] != 1 || !aligned_to(w.data[k], size_t(V * w.bytes[k]))) return false;
    for (int d = 0; d < inner; d++)
      if (w.strides[k][d] % V != 0) return false;
  }
  return true;
}

template <int N>
elementwise_plan<N> plan_of(const walk<N>& w, int V, const bool (&number)[N]) {
  elementwise_plan<N> p{};
  p.count = uint32_t(w.count());
  p.rank = w.rank;
  for (int d = 0; d < w.rank; d++) {
    const int from = w.rank - 1 - d;
    p.sizes[d] = divider(uint32_t(d == 0 ? (w.sizes[from] + V - 1) / V : w.sizes[from]));
    for (int k = 0; k < N; k++) p.strides[k][d] = int32_t(number[k] ? 0 : d == 0 ? w.strides[k][from] * V : w.strides[k][from]);
  }
  for (int k = 0; k < N; k++) {
    p.data[k] = w.data[k];
    p.how[k] = number[k] ? access::number : w.strides[k][w.rank - 1] == 0 ? access::repeated : access::along;
    if (!number[k]) continue;
    std::memcpy(&p.numbers[k], w.data[k], size_t(w.bytes[k]));
    p.data[k] = nullptr;
  }
  return p;
}

// Threads of a block for so many steps of work: fewer where the multiprocessors would not all get a block.
inline unsigned block_for(int64_t steps) {
  unsigned threads = 256;
  while (threads > 64 && steps < int64_t(threads) * cuda::multiprocessors() * 2) threads /= 2;
  return threads;
}

template <class Y, class... X>
constexpr int widest_of() {
  int bytes = int(sizeof(Y));
  ((bytes = int(sizeof(X)) > bytes ? int(sizeof(X)) : bytes), ...);
  return bytes;
}

template <class Y, class... X>
struct elementwise {
  static constexpr int N = 1 + int(sizeof...(X));
  static constexpr int widest = widest_of<Y, X...>();

  // unroll: 4 for a formula of a few instructions, 1 for a long one, which hides the memory by itself
  template <int unroll = 4, class F>
  static void run(const F& f, const flam_tensor* const (&views)[N]) {
    if (numel(*views[0]) == 0) return;
    const device_views<N> v(views);
    constexpr int V = widest == 1 && unroll == 1 ? 8 : 16 / widest, most = sizeof...(X) > 1 ? 16 : 32;  // elements a thread holds
    by_pieces(walk<N>(v.list), [&](const walk<N>& w) {
      if (takes_vectors(w, V, v.number)) start<V, (unroll * V > most ? most / V : unroll)>(f, plan_of(w, V, v.number));
      else start<1, unroll>(f, plan_of(w, 1, v.number));
    });
  }

 private:
  template <int V, int unroll, class F>
  static void start(const F& f, const elementwise_plan<N>& p) {
    const int64_t steps = (int64_t(p.count) + V * unroll - 1) / (V * unroll);
    const unsigned threads = block_for(steps);
    cuda::launch("elementwise", &elementwise_kernel<V, unroll, F, Y, X...>, cuda::blocks_for(steps, threads), threads, 0, f, p);
  }
};

}  // namespace FLAM_ISA
}  // namespace flam
