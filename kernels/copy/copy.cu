// y = x between any two dtypes and layouts.
// Same dtype: bits move; dense blocks by the copy engine, transposed ones through a square of shared memory, the rest element by
// element (elementwise.cuh). The square: a block of 32 x 8 threads reads `tile` rows along x's unit stride and writes them along y's, so
// that both sides touch whole sectors; a padding of 4 bytes puts the elements of a column into different banks.
#include "conversion.cuh"

using namespace flam;

namespace {

// The two unit dimensions, and the planes over all others.
struct transpose_plan {
  const char* x;
  char* y;
  uint32_t columns, rows;  // y runs along the columns, x along the rows
  int64_t x_step, y_step;  // from a column to the next in x, from a row to the next in y
  divider across, down;    // squares
  int32_t outer;           // dimensions of planes, innermost first
  divider sizes[FLAM_MAX_RANK];
  int64_t x_strides[FLAM_MAX_RANK], y_strides[FLAM_MAX_RANK];
};

// Where this block's square begins, in columns, rows, and elements of x and y.
struct corner {
  uint32_t column, row;
  int64_t x, y;
};
__device__ __forceinline__ corner corner_of(const transpose_plan& p, unsigned tile) {
  uint32_t rest = p.across.quotient(blockIdx.x), plane = p.down.quotient(rest);
  corner c{(blockIdx.x - rest * p.across.d) * tile, (rest - plane * p.down.d) * tile, 0, 0};
  c.x = c.column * p.x_step + c.row, c.y = c.row * p.y_step + c.column;
  for (int d = 0; d < p.outer; d++) {
    rest = p.sizes[d].quotient(plane);
    const int64_t i = plane - rest * p.sizes[d].d;
    c.x += i * p.x_strides[d];
    c.y += i * p.y_strides[d];
    plane = rest;
  }
  return c;
}

constexpr unsigned lanes = 32, lines = 8;

template <class T>
constexpr unsigned tile_of = sizeof(T) < 4 ? 64 : 32;

template <class T, unsigned tile>
__global__ void __launch_bounds__(lanes* lines) transpose_kernel(const __grid_constant__ transpose_plan p) {
  constexpr unsigned width = tile + (sizeof(T) < 4 ? 4 / sizeof(T) : 1);
  FLAM_SHARED(T, square, [tile][width]);
  const corner at = corner_of(p, tile);
  const T* x = reinterpret_cast<const T*>(p.x) + at.x;
  T* y = reinterpret_cast<T*>(p.y) + at.y;
  const uint32_t columns = p.columns - at.column, rows = p.rows - at.row;  // left, this square's and those behind it
  FLAM_UNROLL for (unsigned c = threadIdx.y; c < tile; c += lines) {
    FLAM_UNROLL for (unsigned r = threadIdx.x; r < tile; r += lanes) {
      if (c < columns && r < rows) square[c][r] = x[c * p.x_step + r];
    }
  }
  __syncthreads();
  FLAM_UNROLL for (unsigned r = threadIdx.y; r < tile; r += lines) {
    FLAM_UNROLL for (unsigned c = threadIdx.x; c < tile; c += lanes) {
      if (c < columns && r < rows) y[r * p.y_step + c] = square[c][r];
    }
  }
}

// Thread (p, g) reads pack p of V columns, and writes pack p of V rows, both from V g on. In shared memory pack p of a row in group g
// stands at p ^ g, so that eight neighbours, writing down a column or reading along a row, meet different banks.
constexpr unsigned packs_across = 16;

template <class T, int V>
__global__ void __launch_bounds__(packs_across* packs_across) transpose_packs_kernel(const __grid_constant__ transpose_plan plan) {
  using pack = packed<T, V>;
  using whole = std::conditional_t<sizeof(pack) == 16, uint4, uint2>;  // one instruction moves it
  FLAM_SHARED(pack, square, [packs_across * V][packs_across]);
  const unsigned p = threadIdx.x, g = threadIdx.y;
  const corner at = corner_of(plan, packs_across * V);
  const T* x = reinterpret_cast<const T*>(plan.x) + at.x + g * V * plan.x_step + p * V;
  T* y = reinterpret_cast<T*>(plan.y) + at.y + g * V * plan.y_step + p * V;
  const uint32_t columns = plan.columns - at.column, rows = plan.rows - at.row;
  if (g * V < columns && p * V < rows) {
    pack column[V];
    FLAM_UNROLL for (int k = 0; k < V; k++) {
      const whole read = __ldg(reinterpret_cast<const whole*>(x + k * plan.x_step));
      memcpy(&column[k], &read, sizeof(pack));
    }
    FLAM_UNROLL for (int r = 0; r < V; r++) {
      pack row;
      FLAM_UNROLL for (int k = 0; k < V; k++) row.v[k] = column[k].v[r];
      square[p * V + r][g ^ p] = row;
    }
  }
  __syncthreads();
  if (g * V >= rows || p * V >= columns) return;
  FLAM_UNROLL for (int r = 0; r < V; r++) reinterpret_cast<whole*>(y + r * plan.y_step)[0] =
      reinterpret_cast<const whole&>(square[g * V + r][p ^ g]);
}

int unit_dimension(const walk<2>& w, int k) {
  for (int d = 0; d < w.rank; d++)
    if (w.strides[k][d] == 1 && w.sizes[d] > 1) return d;
  return -1;
}

// y and x each have a dimension of stride 1, not the same one, both long enough for a square to pay.
bool is_transposed(const walk<2>& w, int i, int j) { return i >= 0 && j >= 0 && i != j && w.sizes[i] >= 16 && w.sizes[j] >= 16; }

// Whether packs of V elements fit along both unit dimensions, i of y and j of x, and fill half a square at least.
bool turns_packs(const walk<2>& w, int i, int j, int V) {
  const int64_t least = packs_across * V / 2;
  bool fits = w.sizes[i] % V == 0 && w.sizes[j] % V == 0 && w.sizes[i] >= least && w.sizes[j] >= least;
  for (int k = 0; k < 2; k++) {
    fits = fits && aligned_to(w.data[k], size_t(V * w.bytes[k]));
    for (int d = 0; d < w.rank; d++) fits = fits && (d == (k == 0 ? i : j) || w.strides[k][d] % V == 0);
  }
  return fits;
}

template <class T>
void copy_transposed(const walk<2>& w, int i, int j) {
  constexpr int V = std::min(per_16_bytes<T>, 8);
  const bool packs = turns_packs(w, i, j, V);
  const unsigned tile = packs ? packs_across * V : tile_of<T>;
  transpose_plan p{};
  p.x = w.data[1], p.y = w.data[0];
  p.columns = uint32_t(w.sizes[i]), p.rows = uint32_t(w.sizes[j]);
  p.x_step = w.strides[1][i], p.y_step = w.strides[0][j];
  p.across = divider(cuda::blocks_for(w.sizes[i], tile)), p.down = divider(cuda::blocks_for(w.sizes[j], tile));
  int64_t squares = int64_t(p.across.d) * p.down.d;
  for (int d = w.rank - 1; d >= 0; d--) {
    if (d == i || d == j) continue;
    p.sizes[p.outer] = divider(uint32_t(w.sizes[d]));
    p.x_strides[p.outer] = w.strides[1][d], p.y_strides[p.outer] = w.strides[0][d];
    squares *= w.sizes[d];
    p.outer++;
  }
  if (packs)
    return cuda::launch("transpose_packs", &transpose_packs_kernel<T, V>, unsigned(squares), dim3(packs_across, packs_across), 0, p);
  cuda::launch("transpose", &transpose_kernel<T, tile_of<T>>, unsigned(squares), dim3(lanes, lines), 0, p);
}

struct same_bits {
  template <class T>
  __device__ __forceinline__ T operator()(T x) const {
    return x;
  }
};

void copy_bits(const flam_tensor& x, const flam_tensor& y) {
  const bool number = !on_cuda(&x);
  if (!number && x.data == y.data) return;
  if (!number && is_contiguous(x) && is_contiguous(y)) {
    const size_t bytes = size_t(numel(y) * dtype_bytes(y.dtype));
    return cuda::check(cudaMemcpyAsync(y.data, x.data, bytes, cudaMemcpyDeviceToDevice, cuda::current_stream()), "copy");
  }
  by_size(x.dtype, [&](auto bits) {
    using T = decltype(bits);
    const walk<2> w({&y, &x});
    const int i = unit_dimension(w, 0), j = unit_dimension(w, 1);
    if (!number && is_transposed(w, i, j)) return by_pieces(w, [&](const walk<2>& piece) { copy_transposed<T>(piece, i, j); });
    elementwise<T, T>::run(same_bits(), {&y, &x});
  });
}

}  // namespace

FLAM_CUDA_OP(copy, (const flam_tensor* x, const flam_tensor* y), (x, y)) {
  if (numel(*y) == 0) return;
  if (!on_cuda(y)) fail(FLAM_INVALID_ARGUMENT, "the result is on the CPU, an operand on CUDA");
  if (x->dtype == y->dtype) return copy_bits(*x, *y);
  switch (y->dtype) {
    case FLAM_BOOL:
    case FLAM_UINT8:
    case FLAM_INT8:
    case FLAM_INT16:
      return convert_to_small_integer(*x, *y);
    case FLAM_INT32:
    case FLAM_INT64:
      return convert_to_integer(*x, *y);
    default:
      convert_to_floating(*x, *y);
  }
}
