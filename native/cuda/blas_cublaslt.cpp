// Matrix products through cuBLASLt. It counts columns first, so the row-major y = a b is asked for as y^T = b^T a^T.
// An algorithm is asked for once per shape, layout, dtype, epilogue and alignment and kept, with its descriptors.
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "blas.h"
#include "cublaslt_abi.h"
#include "cuda.h"
#include "library.h"

namespace flam {
namespace cuda {
namespace {

using namespace cublaslt;

constexpr size_t most_plans = 4096;
constexpr int most_timed = 8;

struct functions {
#define FLAM_POINTER(R, name, args) R(*name) args = nullptr;
  FLAM_CUBLASLT_API(FLAM_POINTER)
#undef FLAM_POINTER
  std::string why_not;
  int version = 0;

  functions() {
    if (!wanted()) {
      why_not = "FLAMBEAU_CUBLASLT is off";
      return;
    }
    static const vendor_library& library = *new vendor_library("cublasLt", {13, 12});
    why_not = library.why_not();
#define FLAM_BIND(R, name, args) \
  if (why_not.empty() && !library.bind(&name, #name)) why_not = library.path() + " lacks " #name;
    FLAM_CUBLASLT_API(FLAM_BIND)
#undef FLAM_BIND
    if (!why_not.empty()) return;
    version = int(cublasLtGetVersion());
    if (version / 10000 != 12 && version / 10000 != 13) why_not = library.path() + " is of the unknown version " + std::to_string(version);
  }

 private:
  static bool wanted() {
    const char* text = std::getenv("FLAMBEAU_CUBLASLT");
#if defined(FLAM_EMULATED)
    return text && !std::strcmp(text, "on");  // the real library cannot work on emulated memory
#else
    return !text || std::strcmp(text, "off");
#endif
  }
};

const functions& lt() {
  static const functions* f = new functions;  // never destroyed: calls may come while the process ends
  return *f;
}

void require(int status, const char* what) {
  if (status != success) fail(FLAM_DEVICE_ERROR, "cuBLASLt: %s failed with status %d", what, status);
}

// How cuBLASLt sees a row-major matrix: its transpose, or as it is if rows have gaps of 1 between them.
struct form {
  bool turned;
  int64_t lead;
};

bool form_of(int64_t rows, int64_t columns, int64_t row, int64_t column, form* f) {
  if (columns == 1) column = 1;
  if (rows == 1 && column == 1) row = columns;
  if (rows == 1 && column != 1) row = 1;
  if (column == 1 && row >= columns) *f = {false, row};
  else if (row == 1 && column >= rows) *f = {true, column};
  else return false;
  return true;
}

int type_of(int32_t dtype) {
  switch (dtype) {
    case FLAM_FLOAT64:
      return r_64f;
    case FLAM_FLOAT16:
      return r_16f;
    case FLAM_BFLOAT16:
      return r_16bf;
    default:
      return r_32f;
  }
}

struct request {
  const blas_product& p;
  form a, b, y;
  int compute;
  std::array<int64_t, 20> key;
};

int64_t alignment(const void* data) {
  const auto bits = reinterpret_cast<uintptr_t>(data);
  int64_t bytes = 256;
  while (bits % uintptr_t(bytes)) bytes /= 2;
  return bytes;
}

// The descriptors of one call; only the bias pointer changes from call to call.
struct descriptors {
  matmul_desc desc = nullptr;
  layout a = nullptr, b = nullptr, y = nullptr;

  explicit descriptors(const request& r) {
    const blas_product& p = r.p;
    const int type = type_of(p.dtype), scale = p.dtype == FLAM_FLOAT64 ? r_64f : r_32f;
    require(lt().cublasLtMatmulDescCreate(&desc, r.compute, scale), "creating a product");
    set(desc_trans_a, int32_t(r.b.turned ? op_t : op_n));
    set(desc_trans_b, int32_t(r.a.turned ? op_t : op_n));
    if (p.bias) set(desc_epilogue, int32_t(epilogue_bias));
    a = matrix(type, p.k, p.m, r.a, p.batch, p.sa[0]);
    b = matrix(type, p.n, p.k, r.b, p.batch, p.sb[0]);
    y = matrix(type, p.n, p.m, r.y, p.batch, p.sy[0]);
  }
  ~descriptors() {
    for (layout l : {a, b, y})
      if (l) lt().cublasLtMatrixLayoutDestroy(l);
    if (desc) lt().cublasLtMatmulDescDestroy(desc);
  }
  descriptors(const descriptors&) = delete;
  descriptors& operator=(const descriptors&) = delete;

  template <class T>
  void set(int attribute, T value) {
    require(lt().cublasLtMatmulDescSetAttribute(desc, attribute, &value, sizeof value), "describing a product");
  }

 private:
  // rows x columns as cuBLASLt counts, of the transpose of the matrix in memory
  static layout matrix(int type, int64_t rows, int64_t columns, form f, int64_t batch, int64_t stride) {
    if (f.turned) std::swap(rows, columns);
    layout l = nullptr;
    require(lt().cublasLtMatrixLayoutCreate(&l, type, uint64_t(rows), uint64_t(columns), f.lead), "describing a matrix");
    if (batch == 1) return l;
    const int32_t count = int32_t(batch);
    require(lt().cublasLtMatrixLayoutSetAttribute(l, layout_batch_count, &count, sizeof count), "describing a batch");
    require(lt().cublasLtMatrixLayoutSetAttribute(l, layout_batch_stride, &stride, sizeof stride), "describing a batch");
    return l;
  }
};

struct choice {
  bool usable = false;
  algorithm algo{};
  size_t workspace_bytes = 0;
};

class preferences {
 public:
  explicit preferences(const request& r) {
    require(lt().cublasLtMatmulPreferenceCreate(&preference_), "creating a preference");
    set(preference_workspace, uint64_t(compute_capability() >= 90 ? 32 << 20 : 8 << 20));
    set(preference_reduction, uint32_t(reduce_in_place | reduce_in_compute_type));  // partial sums stay in float
    set(preference_align_a, uint32_t(alignment(r.p.b)));
    set(preference_align_b, uint32_t(alignment(r.p.a)));
    set(preference_align_c, uint32_t(alignment(r.p.y)));
    set(preference_align_d, uint32_t(alignment(r.p.y)));
  }
  ~preferences() { lt().cublasLtMatmulPreferenceDestroy(preference_); }
  preferences(const preferences&) = delete;
  preferences& operator=(const preferences&) = delete;
  preference get() const { return preference_; }

 private:
  template <class T>
  void set(int attribute, T value) {
    require(lt().cublasLtMatmulPreferenceSetAttribute(preference_, attribute, &value, sizeof value), "setting a preference");
  }
  preference preference_ = nullptr;
};

handle handle_of_device() {
  static std::mutex mutex;
  static auto& all = *new std::unordered_map<int, handle>;
  std::lock_guard<std::mutex> lock(mutex);
  handle& h = all[current_device()];
  if (!h) require(lt().cublasLtCreate(&h), "opening the device");
  return h;
}

int run(const request& r, const descriptors& d, const choice& c) {
  const blas_product& p = r.p;
  const float alpha = float(p.alpha), beta = float(p.beta);
  const bool wide = p.dtype == FLAM_FLOAT64;
  void* const workspace = c.workspace_bytes ? allocate(int64_t(c.workspace_bytes)) : nullptr;
  const int status = lt().cublasLtMatmul(handle_of_device(), d.desc, wide ? static_cast<const void*>(&p.alpha) : &alpha, p.b, d.b, p.a, d.a,
                                         wide ? static_cast<const void*>(&p.beta) : &beta, p.y, d.y, p.y, d.y, &c.algo, workspace,
                                         c.workspace_bytes, current_stream());
  release(workspace);
  return status;
}

// The fastest of three runs of each candidate, in milliseconds on the device's clock. y is written again and again, so beta must be 0.
choice fastest(const request& r, const descriptors& d, const heuristic* candidates, int count) {
  cudaEvent_t start = nullptr, end = nullptr;
  check(cudaEventCreateWithFlags(&start, cudaEventDefault), "cudaEventCreate");
  check(cudaEventCreateWithFlags(&end, cudaEventDefault), "cudaEventCreate");
  choice best;
  float least = 0;
  for (int i = 0; i < count; i++) {
    const choice c{true, candidates[i].algo, candidates[i].workspace_bytes};
    if (run(r, d, c) != success) continue;
    for (int round = 0; round < 3; round++) {
      float time = 0;
      cudaEventRecord(start, current_stream());
      run(r, d, c);
      cudaEventRecord(end, current_stream());
      check(cudaEventSynchronize(end), "timing matrix products");
      cudaEventElapsedTime(&time, start, end);
      if (!best.usable || time < least) best = c, least = time;
    }
  }
  cudaEventDestroy(start);
  cudaEventDestroy(end);
  return best;
}

bool may_time(const request& r) {
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  return benchmark() && r.p.beta == 0 && cudaStreamIsCapturing(current_stream(), &capture) == cudaSuccess &&
         capture == cudaStreamCaptureStatusNone;
}

choice choose(const request& r, const descriptors& d) {
  heuristic candidates[most_timed];
  int count = 0;
  const bool timed = may_time(r);
  const preferences wanted(r);
  const int status = lt().cublasLtMatmulAlgoGetHeuristic(handle_of_device(), d.desc, d.b, d.a, d.y, d.y, wanted.get(),
                                                         timed ? most_timed : 1, candidates, &count);
  if (status != success || count == 0) return {};
  if (timed && count > 1) return fastest(r, d, candidates, count);
  return {true, candidates[0].algo, candidates[0].workspace_bytes};
}

struct hash_key {
  size_t operator()(const std::array<int64_t, 20>& key) const {
    uint64_t h = 0;
    for (int64_t v : key) h = (h ^ uint64_t(v)) * 0x9e3779b97f4a7c15u, h ^= h >> 29;
    return size_t(h);
  }
};

struct plan {
  choice chosen;
  std::vector<std::unique_ptr<descriptors>> idle;
};

std::mutex plans_mutex;
std::unordered_map<std::array<int64_t, 20>, plan, hash_key>& plans() {
  static auto& all = *new std::unordered_map<std::array<int64_t, 20>, plan, hash_key>;
  return all;
}

std::unique_ptr<descriptors> take(const request& r, choice* c, bool* known) {
  std::lock_guard<std::mutex> lock(plans_mutex);
  const auto it = plans().find(r.key);
  *known = it != plans().end();
  if (!*known) return nullptr;
  *c = it->second.chosen;
  if (it->second.idle.empty()) return nullptr;
  auto d = std::move(it->second.idle.back());
  it->second.idle.pop_back();
  return d;
}

void give_back(const request& r, const choice& c, std::unique_ptr<descriptors> d) {
  std::lock_guard<std::mutex> lock(plans_mutex);
  if (plans().size() >= most_plans && !plans().count(r.key)) plans().clear();
  plan& known = plans()[r.key];
  known.chosen = c;
  known.idle.push_back(std::move(d));
}

bool describe(const blas_product& p, request* r) {
  if (!form_of(p.m, p.k, p.sa[1], p.sa[2], &r->a) || !form_of(p.k, p.n, p.sb[1], p.sb[2], &r->b) ||
      !form_of(p.m, p.n, p.sy[1], p.sy[2], &r->y) || r->y.turned || p.batch > INT32_MAX || p.k == 0)
    return false;
  if (p.batch > 1 && (p.sa[0] < 0 || p.sb[0] < 0 || p.sy[0] < p.n)) return false;
  const bool batched = p.batch > 1;
  r->compute = p.dtype == FLAM_FLOAT64 ? compute_64f : p.dtype == FLAM_FLOAT32 && tf32_matmul() ? compute_32f_fast_tf32 : compute_32f;
  r->key = {current_device(),
            p.dtype,
            r->compute,
            p.batch,
            p.m,
            p.n,
            p.k,
            r->a.turned,
            r->b.turned,
            r->a.lead,
            r->b.lead,
            r->y.lead,
            batched ? p.sa[0] : 0,
            batched ? p.sb[0] : 0,
            batched ? p.sy[0] : 0,
            p.bias ? alignment(p.bias) : 0,
            alignment(p.a),
            alignment(p.b),
            alignment(p.y),
            (p.beta == 0) + 2 * may_time(*r)};
  return true;
}

}  // namespace

bool blas_found() { return lt().why_not.empty(); }
const char* blas_why_not() { return lt().why_not.c_str(); }
int blas_version() { return blas_found() ? lt().version : 0; }

bool blas_reads(int64_t batch, int64_t rows, int64_t columns, const int64_t (&strides)[3]) {
  form f{};
  return form_of(rows, columns, strides[1], strides[2], &f) && (batch == 1 || strides[0] >= 0);
}

bool blas_multiply(const blas_product& p) {
  request r{p, {}, {}, {}, 0, {}};
  if (!blas_found() || !describe(p, &r)) return false;
  choice c;
  bool known = false;
  std::unique_ptr<descriptors> d = take(r, &c, &known);
  if (known && !c.usable) return false;
  if (!d) d = std::make_unique<descriptors>(r);
  if (p.bias) d->set(desc_bias_pointer, p.bias);
  if (!known) c = choose(r, *d);
  const int status = c.usable ? run(r, *d, c) : int(not_supported);
  if (status == not_supported) c.usable = false;
  give_back(r, c, std::move(d));
  if (status != not_supported) require(status, "the product");
  return status == success;
}

}  // namespace cuda
}  // namespace flam
