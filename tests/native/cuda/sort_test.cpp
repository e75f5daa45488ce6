// Sort, topk and searchsorted: CUDA beside the CPU. Rows up to 32 are sorted by lanes, up to 1024 by a network, up to 8192 (4096 of 8
// bytes) by one block, longer ones by passes over all.
#include "mirror.h"

using sample::shape;
using sample::tensor;

namespace {

// Small numbers with many ties, NaN, infinities and both zeros; spread: large numbers too.
tensor numbers(int32_t dtype, const shape& sizes, int64_t spread, bool contiguous = true) {
  tensor x(dtype, sizes, contiguous);
  const bool is_signed = dtype != FLAM_UINT8 && dtype != FLAM_BOOL;
  for (int64_t i = 0, n = x.numel(); i < n; i++) {
    x.set(i, double(sample::pick(is_signed ? -spread : 0, spread)));
    if (!sample::is_floating(dtype) || sample::pick(0, 9) > 0) continue;
    const double odd[5] = {NAN, INFINITY, -INFINITY, -0.0, 0.0};
    x.set(i, odd[sample::pick(0, 4)]);
  }
  return x;
}

enum orders { both, rising, falling };

void check_sort(int32_t dtype, const shape& sizes, int dim, int64_t spread, bool contiguous = true, orders wanted = both) {
  const tensor x = numbers(dtype, sizes, spread, contiguous);
  const tensor values(dtype, sizes, contiguous), indices(FLAM_INT64, sizes, contiguous);
  check::mirror dx(x), dv(values), di(indices);
  for (int descending = wanted == falling; descending < (wanted == rising ? 1 : 2); descending++) {
    CHECK_EQ(flam_sort(dx, dv, di, dim, descending), 0);
    CHECK_EQ(flam_sort(x, values, indices, dim, descending), 0);
    CHECK_CLOSE(dv.back(), values, 0);
    CHECK_CLOSE(di.back(), indices, 0);
  }
}

// Against a stable sort on the CPU: of equal elements, those that stand first.
void check_topk(int32_t dtype, const shape& sizes, int dim, int64_t k, int64_t spread, bool contiguous = true) {
  shape few = sizes;
  few[size_t(dim)] = k;
  const tensor x = numbers(dtype, sizes, spread, contiguous);
  tensor sorted(dtype, sizes), order(FLAM_INT64, sizes);
  const tensor values(dtype, few, contiguous), indices(FLAM_INT64, few, contiguous);
  check::mirror dx(x), dv(values), di(indices);
  for (int largest = 0; largest < 2; largest++) {
    CHECK_EQ(flam_topk(dx, dv, di, dim, largest), 0);
    CHECK_EQ(flam_sort(x, sorted, order, dim, largest), 0);
    tensor first = sorted, places = order;
    first.view.sizes[dim] = places.view.sizes[dim] = k;
    CHECK_CLOSE(dv.back(), first, 0);
    CHECK_CLOSE(di.back(), places, 0);
  }
}

}  // namespace

TEST(cuda_sort_rows_of_lanes) {
  for (int32_t dtype : sample::all_dtypes())
    for (int64_t n : {1, 2, 3, 8, 17, 32}) check_sort(dtype, {5, n}, 1, 4);
  check_sort(FLAM_FLOAT32, {1000, 10}, 1, 1000);
}

TEST(cuda_sort_rows_in_a_network) {
  for (int32_t dtype : sample::all_dtypes()) {
    check_sort(dtype, {9, 33}, 1, 20);
    check_sort(dtype, {3, 200}, 1, 100);
  }
  check_sort(FLAM_FLOAT32, {3, 1000}, 1, 100000);
  check_sort(FLAM_INT64, {2, 1024}, 1, 5);
  check_sort(FLAM_BFLOAT16, {2, 513}, 1, 50);
}

TEST(cuda_sort_rows_in_a_block) {
  for (int32_t dtype : sample::all_dtypes()) check_sort(dtype, {2, 1025}, 1, 120);
  check_sort(FLAM_FLOAT32, {1, 8192}, 1, 1000000, true, rising);
  check_sort(FLAM_INT64, {1, 4096}, 1, int64_t(1) << 50, true, falling);
  check_sort(FLAM_FLOAT64, {3, 2500}, 1, 100000, true, rising);
  check_sort(FLAM_INT16, {1, 7001}, 1, 32000, true, falling);
}

TEST(cuda_sort_long_rows) {
  orders wanted = rising;
  for (int32_t dtype : sample::all_dtypes()) {
    check_sort(dtype, {sample::bytes_of(dtype) == 8 ? 4097 : 8193}, 0, 100, true, wanted);
    wanted = wanted == rising ? falling : rising;
  }
  check_sort(FLAM_FLOAT32, {2, 9000}, 1, 1000000, true, falling);
  check_sort(FLAM_INT64, {4097}, 0, int64_t(1) << 50, true, falling);
  check_sort(FLAM_FLOAT64, {1, 5000}, 1, 1000000, true, falling);
  check_sort(FLAM_INT32, {8500}, 0, 2000000000, true, rising);
  check_sort(FLAM_INT64, {5000}, 0, 0, true, rising);
}

TEST(cuda_sort_rows_of_many_tiles) { check_sort(FLAM_UINT8, {33 * 8192}, 0, 255, true, falling); }

TEST(cuda_sort_any_dim_and_strides) {
  for (int dim = 0; dim < 3; dim++) {
    check_sort(FLAM_FLOAT32, {6, 7, 8}, dim, 5);
    check_sort(FLAM_INT16, {6, 40, 8}, dim, 5, false);
  }
  check_sort(FLAM_FLOAT16, {8300, 2}, 0, 500, true, rising);
  check_sort(FLAM_INT64, {4, 1500, 2}, 1, 50, false);
}

TEST(cuda_sort_nothing_and_scalars) {
  check_sort(FLAM_FLOAT32, {0, 3}, 0, 4);
  check_sort(FLAM_FLOAT32, {0, 3}, 1, 4);
  check_sort(FLAM_FLOAT32, {}, 0, 4);
}

TEST(cuda_sort_in_place) {
  for (int64_t n : {5, 300, 3000, 8200}) {
    const tensor x = numbers(n > 8000 ? FLAM_FLOAT16 : FLAM_FLOAT32, {2, n}, 20);
    const tensor indices(FLAM_INT64, {2, n});
    check::mirror dx(x), di(indices);
    CHECK_EQ(flam_sort(dx, dx, di, 1, 1), 0);
    CHECK_EQ(flam_sort(x, x, indices, 1, 1), 0);
    CHECK_CLOSE(dx.back(), x, 0);
    CHECK_CLOSE(di.back(), indices, 0);
  }
}

TEST(cuda_topk_every_dtype) {
  for (int32_t dtype : sample::all_dtypes()) {
    check_topk(dtype, {4, 30}, 1, 7, 5);
    check_topk(dtype, {2, 2000}, 1, 20, 3);
    check_topk(dtype, {1, 2000}, 1, 20, 110);
  }
}

TEST(cuda_topk_of_any_k) {
  for (int64_t k : {0, 1, 64, 100}) check_topk(FLAM_FLOAT32, {3, 100}, 1, k, 30);
  for (int64_t k : {1, 5, 257, 5000}) check_topk(FLAM_FLOAT32, {2, 5000}, 1, k, 100000);
  for (int64_t k : {1, 300, 2048, 2049}) check_topk(FLAM_FLOAT32, {1, 8200}, 1, k, 1000);
  check_topk(FLAM_FLOAT64, {1, 5000}, 1, 1500, 1000000);
}

TEST(cuda_topk_of_segments) {
  check_topk(FLAM_FLOAT32, {1, 40000}, 1, 30, 1000000);
  check_topk(FLAM_FLOAT16, {2, 33000}, 1, 50, 10);
  check_topk(FLAM_UINT8, {1, 50001}, 1, 100, 3);
}

TEST(cuda_topk_any_dim_and_strides) {
  for (int dim = 0; dim < 3; dim++) check_topk(FLAM_FLOAT32, {6, 7, 8}, dim, 3, 5, false);
  check_topk(FLAM_INT32, {1500, 3}, 0, 9, 1000);
}

TEST(cuda_topk_refuses_too_many) {
  const tensor x(FLAM_FLOAT32, {3}), values(FLAM_FLOAT32, {4}), indices(FLAM_INT64, {4});
  check::mirror dx(x), dv(values), di(indices);
  CHECK_EQ(flam_topk(dx, dv, di, 0, 1), FLAM_INVALID_ARGUMENT);
  CHECK_EQ(std::string(flam_last_error()), std::string("k = 4 is more than the 3 elements of dimension 0"));
}

TEST(cuda_searchsorted_every_dtype) {
  for (int32_t dtype : sample::all_dtypes())
    for (int64_t n : {0, 1, 9, 300}) {
      tensor x = numbers(dtype, {3, n}, 9), order(FLAM_INT64, {3, n});
      CHECK_EQ(flam_sort(x, x, order, 1, 0), 0);
      const tensor v = numbers(dtype, {3, 100}, 11), y(FLAM_INT64, {3, 100});
      check::mirror dx(x), dv(v), dy(y);
      for (int right = 0; right < 2; right++) {
        CHECK_EQ(flam_searchsorted(dx, dv, dy, right), 0);
        CHECK_EQ(flam_searchsorted(x, v, y, right), 0);
        CHECK_CLOSE(dy.back(), y, 0);
      }
    }
}
