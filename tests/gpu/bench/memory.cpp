// Kernels whose time is the time to move their bytes: each against the copy that the device itself makes.
#include "bench.h"

namespace bench {
namespace {

int32_t op(const char* kind, const char* name) { return flam_op_id(kind, name); }

void elementwise(const options& o, int64_t n) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_BFLOAT16}) {
    const std::string suffix = dtype == FLAM_FLOAT32 ? " float32" : " bfloat16";
    tensor a(dtype, {n}), b(dtype, {n}), y(dtype, {n});
    const double bytes = double(a.bytes());
    row(o, "device copy" + suffix, 2 * bytes, 0,
        [&] { cudaMemcpyAsync(y.view.data, a.view.data, size_t(a.bytes()), cudaMemcpyDeviceToDevice, nullptr); });
    row(o, "add" + suffix, 3 * bytes, 0, [&] { must(flam_binary(op("binary", "add"), a, b, y, 0)); });
    for (const char* name : {"exp", "gelu", "tanh", "relu"})
      row(o, name + suffix, 2 * bytes, 0, [&] { must(flam_unary(op("unary", name), a, y, 0, 0)); });
    row(o, "gelu_backward" + suffix, 3 * bytes, 0, [&] { must(flam_binary(op("binary", "gelu_backward"), a, b, y, 0)); });
    tensor mask(FLAM_BOOL, {n});
    row(o, "dropout" + suffix, 2 * bytes + double(n), 0, [&] { must(flam_dropout(&generator(), a, y, mask, 0.1)); });
    row(o, "uniform" + suffix, bytes, 0, [&] { must(flam_random_uniform(&generator(), y, 0, 1)); });
    row(o, "fill" + suffix, bytes, 0, [&] {
      const double zero = 0;
      must(flam_fill(y, &zero));
    });
  }
  tensor x(FLAM_FLOAT32, {n}), h(FLAM_BFLOAT16, {n});
  row(o, "cast float32 to bfloat16", 6.0 * double(n), 0, [&] { must(flam_copy(x, h)); });
}

void layouts(const options& o, int64_t rows, int64_t cols) {
  tensor x(FLAM_FLOAT32, {rows, cols}), y(FLAM_FLOAT32, {rows, cols}), bias(FLAM_FLOAT32, {cols}), column(FLAM_FLOAT32, {rows});
  const double bytes = double(x.bytes());
  const flam_tensor wide = reshaped(bias.view, {rows, cols}, {0, 1}), tall = reshaped(column.view, {rows, cols}, {1, 0});
  row(o, "add a row to each row", 2 * bytes, 0, [&] { must(flam_binary(op("binary", "add"), x, &wide, y, 0)); });
  row(o, "add a column to each column", 2 * bytes, 0, [&] { must(flam_binary(op("binary", "add"), x, &tall, y, 0)); });
  const flam_tensor turned = reshaped(x.view, {cols, rows}, {1, cols}), flat = reshaped(y.view, {cols, rows}, {rows, 1});
  row(o, "transpose", 2 * bytes, 0, [&] { must(flam_copy(&turned, &flat)); });
}

void reductions(const options& o, int64_t rows, int64_t cols) {
  tensor x(FLAM_FLOAT32, {rows, cols}), one(FLAM_FLOAT32, {1, 1}), by_row(FLAM_FLOAT32, {rows, 1}), by_column(FLAM_FLOAT32, {1, cols}),
      mean(FLAM_FLOAT32, {rows, 1});
  tensor index(FLAM_INT64, {rows, 1}), y(FLAM_FLOAT32, {rows, cols});
  const double bytes = double(x.bytes());
  row(o, "sum of all", bytes, 0, [&] { must(flam_reduce(op("reduce", "sum"), x, one, 0)); });
  row(o, "sum of rows", bytes, 0, [&] { must(flam_reduce(op("reduce", "sum"), x, by_row, 0)); });
  row(o, "sum of columns", bytes, 0, [&] { must(flam_reduce(op("reduce", "sum"), x, by_column, 0)); });
  row(o, "amax of rows", bytes, 0, [&] { must(flam_reduce(op("reduce", "amax"), x, by_row, 0)); });
  row(o, "var and mean of rows", bytes, 0, [&] { must(flam_var_mean(x, by_row, mean, 1)); });
  row(o, "argmax of rows", bytes, 0, [&] { must(flam_arg_reduce(x, nullptr, index, 1, 1)); });
  row(o, "cumsum of rows", 2 * bytes, 0, [&] { must(flam_scan(op("scan", "cumsum"), x, y, 1)); });
}

void norms(const options& o, int64_t rows, int64_t cols) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_BFLOAT16}) {
    const std::string suffix = dtype == FLAM_FLOAT32 ? " float32" : " bfloat16";
    tensor x(dtype, {rows, cols}), y(dtype, {rows, cols}), dy(dtype, {rows, cols}), w(dtype, {cols}), b(dtype, {cols});
    tensor mean(FLAM_FLOAT32, {rows}), rstd(FLAM_FLOAT32, {rows}), dw(dtype, {cols}), db(dtype, {cols});
    const double bytes = double(x.bytes());
    row(o, "softmax" + suffix, 2 * bytes, 0, [&] { must(flam_softmax(x, y, 1, 0)); });
    row(o, "softmax backward" + suffix, 3 * bytes, 0, [&] { must(flam_softmax_backward(dy, x, y, 1, 0)); });
    row(o, "layer_norm" + suffix, 2 * bytes, 0, [&] { must(flam_layer_norm(x, w, b, y, mean, rstd, 1e-5)); });
    row(o, "layer_norm backward" + suffix, 3 * bytes, 0, [&] { must(flam_layer_norm_backward(dy, x, w, mean, rstd, y, dw, db)); });
  }
}

void planes(const options& o, int64_t batch, int64_t channels, int64_t side) {
  tensor x(FLAM_FLOAT32, {batch, channels, side * side}), y(FLAM_FLOAT32, {batch, channels, side * side}),
      dy(FLAM_FLOAT32, {batch, channels, side * side});
  tensor w(FLAM_FLOAT32, {channels}), b(FLAM_FLOAT32, {channels}), m(FLAM_FLOAT32, {channels}), v(FLAM_FLOAT32, {channels}),
      mean(FLAM_FLOAT32, {channels}), rstd(FLAM_FLOAT32, {channels}), dw(FLAM_FLOAT32, {channels}), db(FLAM_FLOAT32, {channels});
  const double bytes = double(x.bytes());
  row(o, "batch_norm", 3 * bytes, 0, [&] { must(flam_batch_norm(x, w, b, m, v, y, mean, rstd, 1, 0.1, 1e-5)); });
  row(o, "batch_norm backward", 5 * bytes, 0, [&] { must(flam_batch_norm_backward(dy, x, w, mean, rstd, y, dw, db, 1)); });
  const int64_t half = side / 2;
  tensor small(FLAM_FLOAT32, {batch * channels, half, half}), index(FLAM_INT64, {batch * channels, half, half}, half);
  const flam_tensor planes_of_x = reshaped(x.view, {batch * channels, side, side}, {side * side, side, 1}),
                    planes_of_y = reshaped(y.view, {batch * channels, side, side}, {side * side, side, 1});
  flam_pool p{};
  p.nd = 2;
  for (int d = 0; d < 3; d++) p.kernel[d] = p.stride[d] = 2, p.dilation[d] = 1;
  p.kernel[2] = p.stride[2] = 1;
  row(o, "max_pool 2x2", bytes + double(small.bytes() + index.bytes()), 0, [&] { must(flam_max_pool(&planes_of_x, small, index, &p)); });
  row(o, "max_pool 2x2 backward", bytes + double(small.bytes() + index.bytes()), 0,
      [&] { must(flam_max_pool_backward(small, index, &planes_of_y)); });
  row(o, "avg_pool 2x2", bytes + double(small.bytes()), 0, [&] { must(flam_avg_pool(&planes_of_x, small, &p)); });
}

void tables(const options& o, int64_t words, int64_t width, int64_t picked) {
  tensor table(FLAM_FLOAT32, {words, width}), index(FLAM_INT64, {picked}, words), y(FLAM_FLOAT32, {picked, width});
  row(o, "embedding", 2.0 * double(y.bytes()), 0, [&] { must(flam_index_select(table, 0, index, y)); });
  row(o, "embedding backward", 2.0 * double(y.bytes()), 0, [&] { must(flam_index_write(table, 0, index, y, 1)); });
  tensor logits(FLAM_BFLOAT16, {picked / 8, words}), target(FLAM_INT64, {picked / 8}, words), loss(FLAM_FLOAT32, {picked / 8}),
      lse(FLAM_FLOAT32, {picked / 8}), dx(FLAM_BFLOAT16, {picked / 8, words});
  row(o, "cross_entropy", double(logits.bytes()), 0, [&] { must(flam_cross_entropy(logits, target, loss, lse, -100)); });
  row(o, "cross_entropy backward", 2.0 * double(logits.bytes()), 0,
      [&] { must(flam_cross_entropy_backward(loss, logits, target, lse, dx, -100)); });
}

void optimizers(const options& o, int64_t n) {
  const std::vector<int64_t> shares = {n / 2, n / 4, n / 8, n / 8};
  std::vector<tensor*> all;
  std::vector<std::vector<flam_tensor>> lanes(4);
  for (auto& lane : lanes)
    for (int64_t share : shares) {
      all.push_back(new tensor(FLAM_FLOAT32, {share}));
      lane.push_back(all.back()->view);
    }
  const double bytes = 4.0 * double(n);
  flam_adam a{};
  a.lr = 1e-3, a.beta1 = 0.9, a.beta2 = 0.999, a.eps = 1e-8, a.weight_decay = 0.01, a.step = 10, a.decoupled = 1;
  row(o, "adamw step", 7 * bytes, 0, [&] {
    must(flam_optim_adam(int32_t(shares.size()), lanes[0].data(), lanes[1].data(), lanes[2].data(), lanes[3].data(), nullptr, &a));
  });
  flam_sgd s{};
  s.lr = 1e-3, s.momentum = 0.9;
  row(o, "sgd momentum step", 5 * bytes, 0,
      [&] { must(flam_optim_sgd(int32_t(shares.size()), lanes[0].data(), lanes[1].data(), lanes[2].data(), &s)); });
  for (tensor* t : all) delete t;
}

void sorting(const options& o, int64_t n) {
  tensor x(FLAM_FLOAT32, {1, n}), y(FLAM_FLOAT32, {1, n}), index(FLAM_INT64, {1, n}), top(FLAM_FLOAT32, {1, 64}),
      top_index(FLAM_INT64, {1, 64});
  row(o, "sort", 0, 0, [&] { must(flam_sort(x, y, index, 1, 0)); });
  row(o, "topk 64", double(x.bytes()), 0, [&] { must(flam_topk(x, top, top_index, 1, 1)); });
}

}  // namespace

void memory_rows(const options& o) {
  elementwise(o, o.smoke ? 5000 : 1 << 26);
  layouts(o, o.smoke ? 64 : 1 << 13, o.smoke ? 64 : 1 << 13);
  reductions(o, o.smoke ? 16 : 1 << 16, o.smoke ? 64 : 1 << 10);
  norms(o, o.smoke ? 16 : 1 << 16, o.smoke ? 64 : 1 << 10);
  planes(o, o.smoke ? 1 : 64, o.smoke ? 2 : 256, o.smoke ? 8 : 56);
  tables(o, o.smoke ? 50 : 50257, o.smoke ? 16 : 768, o.smoke ? 16 : 1 << 16);
  optimizers(o, o.smoke ? 5000 : 1 << 26);
  sorting(o, o.smoke ? 500 : 1 << 24);
}

}  // namespace bench
