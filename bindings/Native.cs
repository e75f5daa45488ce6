// The C# half of bindings/flambeau.h: the same names in the same order. A test compares the two files.
using System.Runtime.InteropServices;

namespace Flambeau.Interop;

internal static unsafe partial class Native
{
    internal const string Library = "flambeau";
    internal const int AbiVersion = 1;
    internal const int MaxRank = 12;

    // ---- library, errors, memory, threads

    [LibraryImport(Library)]
    internal static partial int flam_abi_version();

    [LibraryImport(Library)]
    internal static partial byte* flam_last_error();

    [LibraryImport(Library)]
    internal static partial byte* flam_build_info();

    [LibraryImport(Library)]
    internal static partial int flam_struct_size(int which);

    [LibraryImport(Library)]
    internal static partial int flam_allocate(int device_type, int device_index, long bytes, void** block);

    [LibraryImport(Library)]
    internal static partial int flam_free(int device_type, int device_index, void* block);

    [LibraryImport(Library)]
    internal static partial int flam_memory_stats_get(int device_type, int device_index, flam_memory_stats* stats);

    [LibraryImport(Library)]
    internal static partial int flam_memory_trim(int device_type, int device_index);

    [LibraryImport(Library)]
    internal static partial int flam_memory_reset_peak(int device_type, int device_index);

    [LibraryImport(Library)]
    internal static partial int flam_set_num_threads(int threads);

    [LibraryImport(Library)]
    internal static partial int flam_get_num_threads();

    // ---- elementwise: ops are listed in ops.def and known by name, so that adding one touches no number

    [LibraryImport(Library)]
    internal static partial int flam_op_id(byte* kind, byte* name);

    [LibraryImport(Library)]
    internal static partial int flam_unary(int op, flam_tensor* x, flam_tensor* y, double a, double b);

    [LibraryImport(Library)]
    internal static partial int flam_binary(int op, flam_tensor* x1, flam_tensor* x2, flam_tensor* y, double a);

    [LibraryImport(Library)]
    internal static partial int flam_ternary(int op, flam_tensor* x1, flam_tensor* x2, flam_tensor* x3, flam_tensor* y, double a);

    [LibraryImport(Library)]
    internal static partial int flam_copy(flam_tensor* x, flam_tensor* y);

    [LibraryImport(Library)]
    internal static partial int flam_fill(flam_tensor* y, void* value);

    [LibraryImport(Library)]
    internal static partial int flam_arange(flam_tensor* y, double start, double step, long start_int, long step_int);

    // ---- reductions, scans, softmax, norms

    [LibraryImport(Library)]
    internal static partial int flam_reduce(int op, flam_tensor* x, flam_tensor* y, double a);

    [LibraryImport(Library)]
    internal static partial int flam_var_mean(flam_tensor* x, flam_tensor* var, flam_tensor* mean, double correction);

    [LibraryImport(Library)]
    internal static partial int flam_arg_reduce(flam_tensor* x, flam_tensor* values, flam_tensor* indices, int dim, int largest);

    [LibraryImport(Library)]
    internal static partial int flam_scan(int op, flam_tensor* x, flam_tensor* y, int dim);

    [LibraryImport(Library)]
    internal static partial int flam_scan_arg(flam_tensor* x, flam_tensor* values, flam_tensor* indices, int dim, int largest);

    [LibraryImport(Library)]
    internal static partial int flam_softmax(flam_tensor* x, flam_tensor* y, int dim, int log);

    [LibraryImport(Library)]
    internal static partial int flam_softmax_backward(flam_tensor* dy, flam_tensor* y, flam_tensor* dx, int dim, int log);

    [LibraryImport(Library)]
    internal static partial int flam_cross_entropy(flam_tensor* x, flam_tensor* target, flam_tensor* loss, flam_tensor* lse, long ignore_index);

    [LibraryImport(Library)]
    internal static partial int flam_cross_entropy_backward(flam_tensor* dloss, flam_tensor* x, flam_tensor* target, flam_tensor* lse, flam_tensor* dx, long ignore_index);

    [LibraryImport(Library)]
    internal static partial int flam_layer_norm(flam_tensor* x, flam_tensor* weight, flam_tensor* bias, flam_tensor* y, flam_tensor* mean, flam_tensor* rstd, double eps);

    [LibraryImport(Library)]
    internal static partial int flam_layer_norm_backward(flam_tensor* dy, flam_tensor* x, flam_tensor* weight, flam_tensor* mean, flam_tensor* rstd, flam_tensor* dx, flam_tensor* dweight, flam_tensor* dbias);

    [LibraryImport(Library)]
    internal static partial int flam_batch_norm(flam_tensor* x, flam_tensor* weight, flam_tensor* bias, flam_tensor* running_mean, flam_tensor* running_var, flam_tensor* y, flam_tensor* save_mean, flam_tensor* save_rstd, int training, double momentum, double eps);

    [LibraryImport(Library)]
    internal static partial int flam_batch_norm_backward(flam_tensor* dy, flam_tensor* x, flam_tensor* weight, flam_tensor* mean, flam_tensor* rstd, flam_tensor* dx, flam_tensor* dweight, flam_tensor* dbias, int training);

    // ---- products, convolutions, pooling

    [LibraryImport(Library)]
    internal static partial int flam_matmul(flam_tensor* a, flam_tensor* b, flam_tensor* bias, flam_tensor* y, double alpha, double beta);

    [LibraryImport(Library)]
    internal static partial int flam_attention(flam_tensor* q, flam_tensor* k, flam_tensor* v, flam_tensor* y, flam_tensor* lse, double scale, int causal);

    [LibraryImport(Library)]
    internal static partial int flam_attention_backward(flam_tensor* dy, flam_tensor* q, flam_tensor* k, flam_tensor* v, flam_tensor* y, flam_tensor* lse, flam_tensor* dq, flam_tensor* dk, flam_tensor* dv, double scale, int causal);

    [LibraryImport(Library)]
    internal static partial int flam_rnn(int mode, int reverse, flam_tensor* gates, flam_tensor* w, flam_tensor* bias, flam_tensor* h, flam_tensor* aux);

    [LibraryImport(Library)]
    internal static partial int flam_rnn_backward(int mode, int reverse, flam_tensor* dy, flam_tensor* gates, flam_tensor* w, flam_tensor* h, flam_tensor* aux, flam_tensor* dgates, flam_tensor* dm, flam_tensor* dh, flam_tensor* dc);

    [LibraryImport(Library)]
    internal static partial int flam_conv_forward(flam_tensor* x, flam_tensor* w, flam_tensor* bias, flam_tensor* y, flam_conv* p);

    [LibraryImport(Library)]
    internal static partial int flam_conv_backward_input(flam_tensor* dy, flam_tensor* w, flam_tensor* bias, flam_tensor* dx, flam_conv* p);

    [LibraryImport(Library)]
    internal static partial int flam_conv_backward_weight(flam_tensor* dy, flam_tensor* x, flam_tensor* dw, flam_conv* p);

    [LibraryImport(Library)]
    internal static partial int flam_max_pool(flam_tensor* x, flam_tensor* y, flam_tensor* indices, flam_pool* p);

    [LibraryImport(Library)]
    internal static partial int flam_max_pool_backward(flam_tensor* dy, flam_tensor* indices, flam_tensor* dx);

    [LibraryImport(Library)]
    internal static partial int flam_avg_pool(flam_tensor* x, flam_tensor* y, flam_pool* p);

    [LibraryImport(Library)]
    internal static partial int flam_avg_pool_backward(flam_tensor* dy, flam_tensor* dx, flam_pool* p);

    [LibraryImport(Library)]
    internal static partial int flam_adaptive_avg_pool(flam_tensor* x, flam_tensor* y, int nd);

    [LibraryImport(Library)]
    internal static partial int flam_adaptive_avg_pool_backward(flam_tensor* dy, flam_tensor* dx, int nd);

    [LibraryImport(Library)]
    internal static partial int flam_adaptive_max_pool(flam_tensor* x, flam_tensor* y, flam_tensor* indices, int nd);

    // ---- indexing, sorting

    [LibraryImport(Library)]
    internal static partial int flam_gather(flam_tensor* x, int dim, flam_tensor* index, flam_tensor* y);

    [LibraryImport(Library)]
    internal static partial int flam_scatter(flam_tensor* y, int dim, flam_tensor* index, flam_tensor* src, int op);

    [LibraryImport(Library)]
    internal static partial int flam_index_select(flam_tensor* x, int dim, flam_tensor* index, flam_tensor* y);

    [LibraryImport(Library)]
    internal static partial int flam_index_write(flam_tensor* y, int dim, flam_tensor* index, flam_tensor* src, int op);

    [LibraryImport(Library)]
    internal static partial int flam_index_get(flam_tensor* x, int count, flam_tensor* indices, flam_tensor* y);

    [LibraryImport(Library)]
    internal static partial int flam_index_put(flam_tensor* x, int count, flam_tensor* indices, flam_tensor* src, int accumulate);

    [LibraryImport(Library)]
    internal static partial int flam_count_nonzero(flam_tensor* x, long* count);

    [LibraryImport(Library)]
    internal static partial int flam_nonzero(flam_tensor* x, flam_tensor* y);

    [LibraryImport(Library)]
    internal static partial int flam_masked_select(flam_tensor* x, flam_tensor* mask, flam_tensor* y);

    [LibraryImport(Library)]
    internal static partial int flam_masked_scatter(flam_tensor* y, flam_tensor* mask, flam_tensor* src);

    [LibraryImport(Library)]
    internal static partial int flam_sort(flam_tensor* x, flam_tensor* values, flam_tensor* indices, int dim, int descending);

    [LibraryImport(Library)]
    internal static partial int flam_topk(flam_tensor* x, flam_tensor* values, flam_tensor* indices, int dim, int largest);

    [LibraryImport(Library)]
    internal static partial int flam_searchsorted(flam_tensor* x, flam_tensor* v, flam_tensor* y, int right);

    // ---- random numbers

    [LibraryImport(Library)]
    internal static partial int flam_generator_seed(flam_generator* g, ulong seed);

    [LibraryImport(Library)]
    internal static partial int flam_generator_store(flam_generator* g, flam_tensor* y);

    [LibraryImport(Library)]
    internal static partial int flam_random_uniform(flam_generator* g, flam_tensor* y, double low, double high);

    [LibraryImport(Library)]
    internal static partial int flam_random_normal(flam_generator* g, flam_tensor* y, double mean, double std);

    [LibraryImport(Library)]
    internal static partial int flam_random_integers(flam_generator* g, flam_tensor* y, long low, long high);

    [LibraryImport(Library)]
    internal static partial int flam_random_exponential(flam_generator* g, flam_tensor* y, double lambda);

    [LibraryImport(Library)]
    internal static partial int flam_random_permutation(flam_generator* g, flam_tensor* y);

    [LibraryImport(Library)]
    internal static partial int flam_random_bits64(flam_generator* g, ulong* value);

    [LibraryImport(Library)]
    internal static partial int flam_random_multinomial(flam_generator* g, flam_tensor* weights, flam_tensor* y, int replacement);

    [LibraryImport(Library)]
    internal static partial int flam_random_bernoulli(flam_generator* g, flam_tensor* p, flam_tensor* y);

    [LibraryImport(Library)]
    internal static partial int flam_dropout(flam_generator* g, flam_tensor* x, flam_tensor* y, flam_tensor* mask, double p);

    // ---- optimizers: arrays of `count` contiguous tensors

    [LibraryImport(Library)]
    internal static partial int flam_optim_sgd(int count, flam_tensor* @params, flam_tensor* grads, flam_tensor* momentum, flam_sgd* p);

    [LibraryImport(Library)]
    internal static partial int flam_optim_adam(int count, flam_tensor* @params, flam_tensor* grads, flam_tensor* m, flam_tensor* v, flam_tensor* vmax, flam_adam* p);

    [LibraryImport(Library)]
    internal static partial int flam_optim_rmsprop(int count, flam_tensor* @params, flam_tensor* grads, flam_tensor* square, flam_tensor* grad_avg, flam_tensor* momentum, flam_rmsprop* p);
}
