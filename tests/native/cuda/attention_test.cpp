// flam_attention: the CPU against the definition, and CUDA against the CPU.
#include "mirror.h"

namespace {

struct how {
  int64_t batch, heads, tq, tk, d;
  bool causal = false;
  bool turned = false;  // [batch, tokens, heads, d] in memory, as models have it
  int64_t gap = 0;      // between the rows; 1 leaves 16-byte loads impossible
};

sample::tensor heads(int32_t dtype, const how& h, int64_t rows, double scale = 1) {
  sample::tensor x(dtype, {h.batch, h.turned ? rows : h.heads, h.turned ? h.heads : rows, h.d + h.gap});
  x.randomize(scale);
  if (h.turned) std::swap(x.view.sizes[1], x.view.sizes[2]), std::swap(x.view.strides[1], x.view.strides[2]);
  x.view.sizes[3] = h.d;
  return x;
}

struct task {
  how h;
  double scale;
  sample::tensor q, k, v, dy, y, lse, dq, dk, dv;

  task(int32_t dtype, const how& h)
      : h(h),
        scale(0.9 / std::sqrt(double(h.d))),
        q(heads(dtype, h, h.tq)),
        k(heads(dtype, h, h.tk)),
        v(heads(dtype, h, h.tk)),
        dy(heads(dtype, h, h.tq)),
        y(heads(dtype, h, h.tq)),
        lse(dtype == FLAM_FLOAT64 ? FLAM_FLOAT64 : FLAM_FLOAT32, {h.batch, h.heads, h.tq}),
        dq(heads(dtype, h, h.tq)),
        dk(heads(dtype, h, h.tk)),
        dv(heads(dtype, h, h.tk)) {}

  void run_on_cpu() {
    CHECK_EQ(flam_attention(q, k, v, y, lse, scale, h.causal), 0);
    CHECK_EQ(flam_attention_backward(dy, q, k, v, y, lse, dq, dk, dv, scale, h.causal), 0);
  }
};

double tolerance(int32_t dtype) {
  return dtype == FLAM_FLOAT64 ? 1e-9 : dtype == FLAM_FLOAT32 ? 1e-5 : dtype == FLAM_FLOAT16 ? 4e-3 : 3e-2;
}

// The definition, one head at a time, in double: p = softmax(scale q k^T), y = p v, ds = p (dy v^T - sum(dy y)).
struct definition {
  std::vector<double> y, lse, dq, dk, dv;

  explicit definition(const task& t) {
    const how& h = t.h;
    const size_t queries = size_t(h.batch * h.heads * h.tq), keys = size_t(h.batch * h.heads * h.tk), d = size_t(h.d);
    y.resize(queries * d), lse.resize(queries), dq.resize(queries * d), dk.resize(keys * d), dv.resize(keys * d);
    const std::vector<double> q = t.q.values(), k = t.k.values(), v = t.v.values(), dy = t.dy.values();
    for (size_t i = 0; i < queries; i++) {
      const size_t head = i / size_t(h.tq), first = head * size_t(h.tk);
      const size_t seen = h.causal ? std::min(size_t(h.tk), i % size_t(h.tq) + 1) : size_t(h.tk);
      std::vector<double> p(seen), dp(seen);
      double top = -INFINITY, sum = 0, delta = 0;
      for (size_t j = 0; j < seen; j++) {
        for (size_t e = 0; e < d; e++) p[j] += t.scale * q[i * d + e] * k[(first + j) * d + e];
        for (size_t e = 0; e < d; e++) dp[j] += dy[i * d + e] * v[(first + j) * d + e];
        top = std::max(top, p[j]);
      }
      for (double& x : p) sum += x = std::exp(x - top);
      lse[i] = top + std::log(sum);
      for (size_t j = 0; j < seen; j++) {
        p[j] /= sum, delta += p[j] * dp[j];
        for (size_t e = 0; e < d; e++) y[i * d + e] += p[j] * v[(first + j) * d + e];
      }
      for (size_t j = 0; j < seen; j++) {
        const double ds = t.scale * p[j] * (dp[j] - delta);
        for (size_t e = 0; e < d; e++) {
          dq[i * d + e] += ds * k[(first + j) * d + e];
          dk[(first + j) * d + e] += ds * q[i * d + e];
          dv[(first + j) * d + e] += p[j] * dy[i * d + e];
        }
      }
    }
  }
};

void near(const sample::tensor& x, const std::vector<double>& expected, double tolerance) {
  const std::vector<double> values = x.values();
  for (size_t i = 0; i < values.size(); i++) CHECK_NEAR(values[i], expected[i], tolerance * (1 + std::fabs(expected[i])));
}

void compare_with_definition(int32_t dtype, const how& h) {
  task t(dtype, h);
  t.run_on_cpu();
  const definition d(t);
  const double tol = tolerance(dtype);
  near(t.y, d.y, tol), near(t.lse, d.lse, tol), near(t.dq, d.dq, tol), near(t.dk, d.dk, tol), near(t.dv, d.dv, tol);
}

void compare_with_cuda(int32_t dtype, const how& h) {
  task t(dtype, h);
  const check::mirror q(t.q), k(t.k), v(t.v), dy(t.dy), y(t.y), lse(t.lse), dq(t.dq), dk(t.dk), dv(t.dv);
  t.run_on_cpu();
  const double tol = tolerance(dtype);
  CHECK_EQ(flam_attention(q, k, v, y, lse, t.scale, h.causal), 0);
  CHECK_CLOSE(y.back(), t.y, tol);
  CHECK_CLOSE(lse.back(), t.lse, dtype == FLAM_FLOAT64 ? 1e-9 : 2e-5);
  CHECK_EQ(flam_attention_backward(dy, q, k, v, y, lse, dq, dk, dv, t.scale, h.causal), 0);
  CHECK_CLOSE(dq.back(), t.dq, tol);
  CHECK_CLOSE(dk.back(), t.dk, tol);
  CHECK_CLOSE(dv.back(), t.dv, tol);
}

}  // namespace

TEST(attention_on_cpu_is_its_definition) {
  for (int32_t dtype : sample::floating_dtypes())
    for (bool causal : {false, true}) {
      compare_with_definition(dtype, {1, 2, 7, 7, 8, causal});
      compare_with_definition(dtype, {2, 1, 70, 150, 20, causal, true});
      compare_with_definition(dtype, {1, 3, 200, 130, 33, causal, false, 3});
      compare_with_definition(dtype, {1, 1, 1, 40, 64, causal});
      compare_with_definition(dtype, {2, 3, 5, 0, 8, causal});
    }
}

TEST(attention_on_cpu_is_the_same_on_any_thread_count) {
  const int32_t before = flam_get_num_threads();
  flam_set_num_threads(1);
  task one(FLAM_FLOAT32, {1, 2, 300, 300, 32, true});
  task more = one;
  more.y = one.y.clone(), more.dq = one.dq.clone(), more.dk = one.dk.clone(), more.dv = one.dv.clone(), more.lse = one.lse.clone();
  one.run_on_cpu();
  flam_set_num_threads(5);
  more.run_on_cpu();
  flam_set_num_threads(before);
  CHECK_CLOSE(more.y, one.y, 0);
  CHECK_CLOSE(more.dq, one.dq, 0);
  CHECK_CLOSE(more.dk, one.dk, 0);
  CHECK_CLOSE(more.dv, one.dv, 0);
}

TEST(cuda_attention_shapes) {
  for (bool causal : {false, true}) {
    for (int32_t dtype : {FLAM_FLOAT16, FLAM_BFLOAT16}) {
      compare_with_cuda(dtype, {1, 2, 70, 70, 32, causal});
      compare_with_cuda(dtype, {1, 1, 40, 150, 64, causal, true});
      compare_with_cuda(dtype, {2, 1, 140, 65, 96, causal});
      compare_with_cuda(dtype, {1, 1, 130, 140, 128, causal});
    }
    for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT64}) {
      compare_with_cuda(dtype, {1, 2, 70, 66, 32, causal});
      compare_with_cuda(dtype, {1, 1, 33, 70, 64, causal, true});
      compare_with_cuda(dtype, {1, 1, 66, 34, 128, causal});
    }
  }
}

// More tiles than one of queries and of keys, more rounds than one of a block's.
TEST(cuda_attention_many_tiles) {
  for (bool causal : {false, true}) {
    compare_with_cuda(FLAM_BFLOAT16, {1, 1, 330, 270, 64, causal, true});
    compare_with_cuda(FLAM_FLOAT16, {1, 1, 260, 200, 128, causal});
    compare_with_cuda(FLAM_BFLOAT16, {1, 9, 140, 70, 40, causal});
    compare_with_cuda(FLAM_FLOAT16, {1, 1, 2050, 150, 64, causal});  // long enough for atomic additions on Hopper
    compare_with_cuda(FLAM_FLOAT16, {1, 5, 140, 400, 64, causal});
  }
}

// Without atomic additions every sum has one order.
TEST(cuda_attention_deterministic) {
  CHECK_EQ(flam_cuda_set_flag(2, 1), 0);
  for (bool causal : {false, true}) {
    compare_with_cuda(FLAM_BFLOAT16, {1, 2, 150, 200, 64, causal, true});
    compare_with_cuda(FLAM_FLOAT16, {1, 1, 260, 140, 100, causal});
  }
  CHECK_EQ(flam_cuda_set_flag(2, 0), 0);
}

// Head sizes between those that kernels are made for, rows that 16-byte loads cannot take, very few rows.
TEST(cuda_attention_odd_shapes) {
  for (int32_t dtype : sample::floating_dtypes())
    for (bool causal : {false, true}) {
      compare_with_cuda(dtype, {2, 2, 1, 33, 8, causal});
      compare_with_cuda(dtype, {1, 2, 33, 1, 24, causal, true});
      compare_with_cuda(dtype, {1, 1, 50, 20, 40, causal, false, 1});
      compare_with_cuda(dtype, {1, 1, 20, 70, 80, causal, false, 8});
      compare_with_cuda(dtype, {1, 2, 17, 19, 100, causal, true, 3});
    }
}

TEST(cuda_attention_empty) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_BFLOAT16}) {
    compare_with_cuda(dtype, {1, 2, 5, 0, 16});
    compare_with_cuda(dtype, {1, 2, 0, 5, 16});
    compare_with_cuda(dtype, {0, 2, 3, 5, 16, true});
  }
}

// Scales that are not positive, large scores, and NaN in one row.
TEST(cuda_attention_special_values) {
  for (int32_t dtype : sample::floating_dtypes())
    for (double scale : {-0.3, 0.0, 3.0}) {
      task t(dtype, {1, 1, 40, 50, 16, true});
      t.scale = scale;
      t.q.set(7 * 16 + 3, std::nan(""));
      const check::mirror q(t.q), k(t.k), v(t.v), y(t.y), lse(t.lse);
      CHECK_EQ(flam_attention(q, k, v, y, lse, t.scale, 1), 0);
      CHECK_EQ(flam_attention(t.q, t.k, t.v, t.y, t.lse, t.scale, 1), 0);
      CHECK_CLOSE(y.back(), t.y, tolerance(dtype));
      CHECK_CLOSE(lse.back(), t.lse, 2e-5);
    }
}

// One head's keys serve several heads (stride 0), as in grouped-query attention.
TEST(cuda_attention_shared_heads) {
  for (int32_t dtype : {FLAM_FLOAT32, FLAM_FLOAT16}) {
    task t(dtype, {2, 3, 30, 40, 32});
    t.k.view.strides[1] = t.v.view.strides[1] = 0;
    const check::mirror q(t.q), k(t.k), v(t.v), y(t.y), lse(t.lse);
    CHECK_EQ(flam_attention(q, k, v, y, lse, t.scale, 0), 0);
    CHECK_EQ(flam_attention(t.q, t.k, t.v, t.y, t.lse, t.scale, 0), 0);
    CHECK_CLOSE(y.back(), t.y, tolerance(dtype));
  }
}

TEST(cuda_attention_refuses_large_heads) {
  const sample::tensor x(FLAM_FLOAT32, {1, 1, 4, 136}), lse(FLAM_FLOAT32, {1, 1, 4});
  const check::mirror dx(x), dlse(lse);
  CHECK_EQ(flam_attention(dx, dx, dx, dx, dlse, 1, 0), FLAM_NOT_SUPPORTED);
}
