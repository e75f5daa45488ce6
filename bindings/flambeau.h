// flambeau.h: the whole C ABI of the Flambeau native library.
//
// Conventions, true of every function here:
//  * It returns a status (0 = ok); flam_last_error() then gives this thread's text. Nothing throws or aborts.
//  * A tensor is a view, borrowed for the length of one call: native code keeps no pointer to it.
//  * The caller has already allocated results, broadcast (stride 0), promoted dtypes and checked shapes.
//  * Strides are in elements and may be 0 (broadcast, inputs only) or negative (flipped, inputs only).
//  * An output may be the very same view as an input (in place); any other overlap is the caller's mistake.
//  * Any size may be 0. Optional tensors are NULL.
// bindings/Native.cs mirrors this file name by name, in the same order; a test compares the two.
#ifndef FLAMBEAU_H
#define FLAMBEAU_H
#include <stdint.h>

#if defined(_WIN32)
#define FLAM_API __declspec(dllexport)
#else
#define FLAM_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define FLAM_ABI_VERSION 1
#define FLAM_MAX_RANK 12

// ---- types ------------------------------------------------------------------------------------------------------

typedef enum flam_status {
  FLAM_OK = 0,
  FLAM_INVALID_ARGUMENT = 1,
  FLAM_OUT_OF_MEMORY = 2,
  FLAM_NOT_SUPPORTED = 3,
  FLAM_OUT_OF_RANGE = 4,
  FLAM_INTERNAL = 5,
  FLAM_DEVICE_ERROR = 6
} flam_status;

typedef enum flam_dtype {
  FLAM_UINT8 = 0,
  FLAM_INT8 = 1,
  FLAM_INT16 = 2,
  FLAM_INT32 = 3,
  FLAM_INT64 = 4,
  FLAM_FLOAT16 = 5,
  FLAM_FLOAT32 = 6,
  FLAM_FLOAT64 = 7,
  FLAM_BOOL = 11,
  FLAM_BFLOAT16 = 15
} flam_dtype;

typedef enum flam_device_type { FLAM_CPU = 0, FLAM_CUDA = 1 } flam_device_type;

// A strided view of device memory. `data` points at element [0, 0, ...].
typedef struct flam_tensor {
  void* data;
  int32_t dtype;
  int32_t rank;
  int32_t device_type;
  int32_t device_index;
  int64_t sizes[FLAM_MAX_RANK];
  int64_t strides[FLAM_MAX_RANK];
} flam_tensor;

// Bytes; `live` is handed out now, `cached` is held for reuse, `peak` is the highest `live` since the last reset.
typedef struct flam_memory_stats {
  int64_t live_bytes;
  int64_t cached_bytes;
  int64_t peak_bytes;
  int64_t live_blocks;
  int64_t total_allocations;
  int64_t system_allocations;
} flam_memory_stats;

// PyTorch's CPU generator (mt19937 and the cached second half of a Box-Muller pair) and a Philox 4x32-10 counter.
typedef struct flam_generator {
  uint64_t seed;
  int32_t left;
  int32_t next;
  uint32_t state[624];
  int32_t has_next_float_normal;
  int32_t has_next_double_normal;
  float next_float_normal;
  int32_t reserved;
  double next_double_normal;
  uint64_t philox_offset;
} flam_generator;

// A convolution of nd spatial dimensions (1, 2 or 3); unused entries are stride 1, padding 0, dilation 1.
typedef struct flam_conv {
  int32_t nd;
  int32_t groups;
  int64_t stride[3];
  int64_t padding[3];
  int64_t dilation[3];
} flam_conv;

// A pooling window. divisor_override 0 = none.
typedef struct flam_pool {
  int32_t nd;
  int32_t count_include_pad;
  int64_t kernel[3];
  int64_t stride[3];
  int64_t padding[3];
  int64_t dilation[3];
  int64_t divisor_override;
} flam_pool;

// One step of an optimizer over a whole parameter group; see kernels/optim for the formulas. step counts from 1.
typedef struct flam_sgd {
  double lr, momentum, dampening, weight_decay;
  int32_t nesterov, maximize, first_step, reserved;
} flam_sgd;

typedef struct flam_adam {
  double lr, beta1, beta2, eps, weight_decay;
  int64_t step;
  int32_t amsgrad, maximize, decoupled, reserved;
} flam_adam;

typedef struct flam_rmsprop {
  double lr, alpha, eps, weight_decay, momentum;
  int32_t centered, maximize;
} flam_rmsprop;

// ---- library, errors, memory, threads ---------------------------------------------------------------------------

FLAM_API int32_t flam_abi_version(void);
FLAM_API const char* flam_last_error(void);  // text of this thread's last failure, without the op's name
FLAM_API const char* flam_build_info(void);  // one line: version, flavour, instruction set in use, oneDNN version
FLAM_API int32_t
flam_struct_size(int32_t which);  // sizeof: 0 tensor, 1 memory_stats, 2 generator, 3 conv, 4 pool, 5 sgd, 6 adam, 7 rmsprop

FLAM_API int32_t flam_allocate(int32_t device_type, int32_t device_index, int64_t bytes, void** block);  // 64-byte aligned
FLAM_API int32_t flam_free(int32_t device_type, int32_t device_index, void* block);
FLAM_API int32_t flam_memory_stats_get(int32_t device_type, int32_t device_index, flam_memory_stats* stats);
FLAM_API int32_t flam_memory_trim(int32_t device_type, int32_t device_index);  // gives cached blocks back to the system
FLAM_API int32_t flam_memory_reset_peak(int32_t device_type, int32_t device_index);

FLAM_API int32_t flam_set_num_threads(int32_t threads);
FLAM_API int32_t flam_get_num_threads(void);

// ---- elementwise: ops are listed in ops.def and known by name, so that adding one touches no number -------------

FLAM_API int32_t flam_op_id(const char* kind, const char* name);  // kind: unary binary ternary reduce scan; -1 = unknown

// y = op(x; a, b).  y has x's dtype, or bool for predicates.
FLAM_API int32_t flam_unary(int32_t op, const flam_tensor* x, const flam_tensor* y, double a, double b);
// y = op(x1, x2).  x1 and x2 share a dtype; y has it too, or bool for comparisons.
FLAM_API int32_t flam_binary(int32_t op, const flam_tensor* x1, const flam_tensor* x2, const flam_tensor* y, double a);
// y = op(x1, x2, x3).  For `where`, x1 is bool.
FLAM_API int32_t flam_ternary(int32_t op, const flam_tensor* x1, const flam_tensor* x2, const flam_tensor* x3, const flam_tensor* y,
                              double a);
// y = x, any dtypes, any strides; float to integer truncates, anything to bool is x != 0.
FLAM_API int32_t flam_copy(const flam_tensor* x, const flam_tensor* y);
// y = the one value behind `value`, which has y's dtype.
FLAM_API int32_t flam_fill(const flam_tensor* y, const void* value);
// y[i] = start + i * step, y of rank 1.
FLAM_API int32_t flam_arange(const flam_tensor* y, double start, double step, int64_t start_int, int64_t step_int);

// ---- reductions, scans, softmax, norms --------------------------------------------------------------------------

// y = reduce(x) over every dimension where y's size is 1 and x's is not. y.rank == x.rank. a: the p of norm_p.
// y's dtype: x's, int64 for integer sum/prod (x already cast), bool for any/all, int64 for count_nonzero.
FLAM_API int32_t flam_reduce(int32_t op, const flam_tensor* x, const flam_tensor* y, double a);
// var and mean over the same dimensions, Welford; either output may be NULL. Divisor: max(0, n - correction).
FLAM_API int32_t flam_var_mean(const flam_tensor* x, const flam_tensor* var, const flam_tensor* mean, double correction);
// Largest (or smallest) element along dim and where it stands; NaN wins; the first of equals. Outputs keep dim with size 1; values may be
// NULL.
FLAM_API int32_t flam_arg_reduce(const flam_tensor* x, const flam_tensor* values, const flam_tensor* indices, int32_t dim, int32_t largest);
// y = scan(x) along dim: cumsum, cumprod, logcumsumexp.
FLAM_API int32_t flam_scan(int32_t op, const flam_tensor* x, const flam_tensor* y, int32_t dim);
// Running max (or min) along dim, with indices (the last of equals, as PyTorch).
FLAM_API int32_t flam_scan_arg(const flam_tensor* x, const flam_tensor* values, const flam_tensor* indices, int32_t dim, int32_t largest);

FLAM_API int32_t flam_softmax(const flam_tensor* x, const flam_tensor* y, int32_t dim, int32_t log);
// softmax: dx = y (dy - sum(dy y));  log_softmax: dx = dy - exp(y) sum(dy)
FLAM_API int32_t flam_softmax_backward(const flam_tensor* dy, const flam_tensor* y, const flam_tensor* dx, int32_t dim, int32_t log);

// x: [rows, classes] contiguous, target: [rows] int64, loss and lse: [rows], float32 for half types, else x's dtype.
// lse = log sum exp(x), loss = lse - x[target]; both 0 where target is ignore_index. A target outside [0, classes) is FLAM_OUT_OF_RANGE.
FLAM_API int32_t flam_cross_entropy(const flam_tensor* x, const flam_tensor* target, const flam_tensor* loss, const flam_tensor* lse,
                                    int64_t ignore_index);
// dx = (exp(x - lse) - onehot(target)) dloss, 0 where target is ignore_index; dloss as loss, its stride may be 0.
FLAM_API int32_t flam_cross_entropy_backward(const flam_tensor* dloss, const flam_tensor* x, const flam_tensor* target,
                                             const flam_tensor* lse, const flam_tensor* dx, int64_t ignore_index);

// x, y: [rows, cols] contiguous; weight, bias: [cols] or NULL; mean, rstd: [rows], float32 for half types, else x's dtype.
FLAM_API int32_t flam_layer_norm(const flam_tensor* x, const flam_tensor* weight, const flam_tensor* bias, const flam_tensor* y,
                                 const flam_tensor* mean, const flam_tensor* rstd, double eps);
FLAM_API int32_t flam_layer_norm_backward(const flam_tensor* dy, const flam_tensor* x, const flam_tensor* weight, const flam_tensor* mean,
                                          const flam_tensor* rstd, const flam_tensor* dx, const flam_tensor* dweight,
                                          const flam_tensor* dbias);
// x, y: [batch, channels, inner] contiguous; the rest [channels]. training: uses and returns batch statistics and updates
// running_* (may be NULL) by momentum, unbiased variance; otherwise running_* are used. save_mean, save_rstd as layer_norm's.
FLAM_API int32_t flam_batch_norm(const flam_tensor* x, const flam_tensor* weight, const flam_tensor* bias, const flam_tensor* running_mean,
                                 const flam_tensor* running_var, const flam_tensor* y, const flam_tensor* save_mean,
                                 const flam_tensor* save_rstd, int32_t training, double momentum, double eps);
FLAM_API int32_t flam_batch_norm_backward(const flam_tensor* dy, const flam_tensor* x, const flam_tensor* weight, const flam_tensor* mean,
                                          const flam_tensor* rstd, const flam_tensor* dx, const flam_tensor* dweight,
                                          const flam_tensor* dbias, int32_t training);

// ---- products, convolutions, pooling ----------------------------------------------------------------------------

// y = alpha a b + beta y (+ bias).  a: [m, k] or [batch, m, k], b likewise (batch stride may be 0), bias: [n] or NULL; any
// strides for a and b, y with unit or row stride. All dtypes but bool. beta = 0 ignores what y holds, NaN included.
FLAM_API int32_t flam_matmul(const flam_tensor* a, const flam_tensor* b, const flam_tensor* bias, const flam_tensor* y, double alpha,
                             double beta);

// y = softmax(scale q k^T) v.  q, y: [batch, heads, queries, d], k, v: [batch, heads, keys, d], all with unit stride along d, on CUDA
// d <= 128; lse: [batch, heads, queries] contiguous, log(sum(exp(scores))), float64 for float64, else float32.
// causal: query i sees keys j <= i.
FLAM_API int32_t flam_attention(const flam_tensor* q, const flam_tensor* k, const flam_tensor* v, const flam_tensor* y,
                                const flam_tensor* lse, double scale, int32_t causal);
FLAM_API int32_t flam_attention_backward(const flam_tensor* dy, const flam_tensor* q, const flam_tensor* k, const flam_tensor* v,
                                         const flam_tensor* y, const flam_tensor* lse, const flam_tensor* dq, const flam_tensor* dk,
                                         const flam_tensor* dv, double scale, int32_t causal);

// A layer of a recurrent network over a sequence; mode: 0 RNN with relu, 1 RNN with tanh, 2 LSTM (i, f, g, o), 3 GRU (r, z, n). All
// contiguous, on the CPU float32 or float64. gates: [steps, batch, G hidden], G = 1, 1, 4, 3, in: the input's share of the pre-activations,
// out: the activations. w: [G hidden, hidden]. bias: [hidden] of GRU's n, or NULL. h: [steps + 1, batch, hidden]: the first one (reverse:
// the last) is the state before the sequence, the others are written. aux: LSTM: cell states like h; GRU: [steps, batch, hidden], h w_n^T +
// bias; else NULL.
FLAM_API int32_t flam_rnn(int32_t mode, int32_t reverse, const flam_tensor* gates, const flam_tensor* w, const flam_tensor* bias,
                          const flam_tensor* h, const flam_tensor* aux);
// dy: [steps, batch, hidden]. dgates as gates, rows may have gaps: gradients of the pre-activations; dm: of GRU's h w_n^T + bias, [steps,
// batch, hidden], else NULL. dh, dc (LSTM, else NULL): [batch, hidden], in: gradients of the last states, out: of the first.
FLAM_API int32_t flam_rnn_backward(int32_t mode, int32_t reverse, const flam_tensor* dy, const flam_tensor* gates, const flam_tensor* w,
                                   const flam_tensor* h, const flam_tensor* aux, const flam_tensor* dgates, const flam_tensor* dm,
                                   const flam_tensor* dh, const flam_tensor* dc);

// x: [batch, in, spatial...], w: [out, in / groups, kernel...], bias: [out] or NULL, y: [batch, out, spatial...], all contiguous.
FLAM_API int32_t flam_conv_forward(const flam_tensor* x, const flam_tensor* w, const flam_tensor* bias, const flam_tensor* y,
                                   const flam_conv* p);
// dx from dy and w (also the forward of a transposed convolution; bias: [in] or NULL is added to dx then).
FLAM_API int32_t flam_conv_backward_input(const flam_tensor* dy, const flam_tensor* w, const flam_tensor* bias, const flam_tensor* dx,
                                          const flam_conv* p);
FLAM_API int32_t flam_conv_backward_weight(const flam_tensor* dy, const flam_tensor* x, const flam_tensor* dw, const flam_conv* p);

// x: [planes, spatial...] contiguous. indices: int64, the flat spatial position of each maximum. NaN wins.
FLAM_API int32_t flam_max_pool(const flam_tensor* x, const flam_tensor* y, const flam_tensor* indices, const flam_pool* p);
// dx[plane, indices] += dy; dx is overwritten. Serves adaptive max pooling too.
FLAM_API int32_t flam_max_pool_backward(const flam_tensor* dy, const flam_tensor* indices, const flam_tensor* dx);
FLAM_API int32_t flam_avg_pool(const flam_tensor* x, const flam_tensor* y, const flam_pool* p);
FLAM_API int32_t flam_avg_pool_backward(const flam_tensor* dy, const flam_tensor* dx, const flam_pool* p);
// window of output i along a dimension: [floor(i in / out), ceil((i + 1) in / out))
FLAM_API int32_t flam_adaptive_avg_pool(const flam_tensor* x, const flam_tensor* y, int32_t nd);
FLAM_API int32_t flam_adaptive_avg_pool_backward(const flam_tensor* dy, const flam_tensor* dx, int32_t nd);
FLAM_API int32_t flam_adaptive_max_pool(const flam_tensor* x, const flam_tensor* y, const flam_tensor* indices, int32_t nd);

// ---- indexing, sorting ------------------------------------------------------------------------------------------
// Indices are int64; negative ones count from the end only in flam_index_get and flam_index_put. One out of range is FLAM_OUT_OF_RANGE
// with the text "index 7 is out of range for dimension 1 of size 5", found before anything is written.

// y[i][j] = x[index[i][j]][j] for dim 0, and so on; y and index share sizes, each <= x's except along dim.
FLAM_API int32_t flam_gather(const flam_tensor* x, int32_t dim, const flam_tensor* index, const flam_tensor* y);
// y[index[i][j]][j] op= src[i][j] for dim 0. op: 0 set, 1 add, 2 multiply, 3 max, 4 min. In index order, repeatable.
FLAM_API int32_t flam_scatter(const flam_tensor* y, int32_t dim, const flam_tensor* index, const flam_tensor* src, int32_t op);
// y = rows of x along dim, index: [n].
FLAM_API int32_t flam_index_select(const flam_tensor* x, int32_t dim, const flam_tensor* index, const flam_tensor* y);
// rows of y along dim (+)= rows of src; op as flam_scatter.
FLAM_API int32_t flam_index_write(const flam_tensor* y, int32_t dim, const flam_tensor* index, const flam_tensor* src, int32_t op);
// x: [i1 .. ik, rest...], indices: k tensors of one shape S (broadcast by stride 0), y: [S..., rest...].
FLAM_API int32_t flam_index_get(const flam_tensor* x, int32_t count, const flam_tensor* indices, const flam_tensor* y);
// x[indices] = src (or += when accumulate), src: [S..., rest...].
FLAM_API int32_t flam_index_put(const flam_tensor* x, int32_t count, const flam_tensor* indices, const flam_tensor* src,
                                int32_t accumulate);

FLAM_API int32_t flam_count_nonzero(const flam_tensor* x, int64_t* count);
FLAM_API int32_t flam_nonzero(const flam_tensor* x, const flam_tensor* y);  // y: int64 [count, rank], row-major order
FLAM_API int32_t flam_masked_select(const flam_tensor* x, const flam_tensor* mask, const flam_tensor* y);     // y: [count]
FLAM_API int32_t flam_masked_scatter(const flam_tensor* y, const flam_tensor* mask, const flam_tensor* src);  // src: 1-d contiguous

// Stable; NaN counts as largest.
FLAM_API int32_t flam_sort(const flam_tensor* x, const flam_tensor* values, const flam_tensor* indices, int32_t dim, int32_t descending);
// The k = values.sizes[dim] largest (or smallest), always in order.
FLAM_API int32_t flam_topk(const flam_tensor* x, const flam_tensor* values, const flam_tensor* indices, int32_t dim, int32_t largest);
// y[r][j] = where v[r][j] goes into the sorted row r of x, before equal elements or behind them (right). All 2-d contiguous; y: int64.
FLAM_API int32_t flam_searchsorted(const flam_tensor* x, const flam_tensor* v, const flam_tensor* y, int32_t right);

// ---- random numbers ---------------------------------------------------------------------------------------------
// The first group consumes mt19937 exactly as PyTorch's CPU kernels do, so one seed gives the same numbers there and here. y is contiguous.

FLAM_API int32_t flam_generator_seed(flam_generator* g, uint64_t seed);
FLAM_API int32_t flam_random_uniform(flam_generator* g, const flam_tensor* y, double low, double high);
FLAM_API int32_t flam_random_normal(flam_generator* g, const flam_tensor* y, double mean, double std);
FLAM_API int32_t flam_random_integers(flam_generator* g, const flam_tensor* y, int64_t low, int64_t high);  // [low, high)
FLAM_API int32_t flam_random_exponential(flam_generator* g, const flam_tensor* y, double lambda);
FLAM_API int32_t flam_random_permutation(flam_generator* g, const flam_tensor* y);
FLAM_API int32_t flam_random_bits64(flam_generator* g, uint64_t* value);
FLAM_API int32_t flam_random_multinomial(flam_generator* g, const flam_tensor* weights, const flam_tensor* y,
                                         int32_t replacement);  // [rows, n] -> int64 [rows, k]
// Philox, counter-based: independent of the thread count.
FLAM_API int32_t flam_random_bernoulli(flam_generator* g, const flam_tensor* p,
                                       const flam_tensor* y);  // p: y's sizes, float64 or y's dtype
// y = x * mask / (1 - p), mask: bool, true = kept.
FLAM_API int32_t flam_dropout(flam_generator* g, const flam_tensor* x, const flam_tensor* y, const flam_tensor* mask, double p);

// ---- optimizers: arrays of `count` contiguous tensors ------------------------------------------------------------

FLAM_API int32_t flam_optim_sgd(int32_t count, const flam_tensor* params, const flam_tensor* grads, const flam_tensor* momentum,
                                const flam_sgd* p);
FLAM_API int32_t flam_optim_adam(int32_t count, const flam_tensor* params, const flam_tensor* grads, const flam_tensor* m,
                                 const flam_tensor* v, const flam_tensor* vmax, const flam_adam* p);
FLAM_API int32_t flam_optim_rmsprop(int32_t count, const flam_tensor* params, const flam_tensor* grads, const flam_tensor* square,
                                    const flam_tensor* grad_avg, const flam_tensor* momentum, const flam_rmsprop* p);

#ifdef __cplusplus
}
#endif
#endif
