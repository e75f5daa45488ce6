// A stand-in for libcublasLt.so.13 that the tests open: the same functions, plain loops, ordered on the emulated streams.
// It refuses what the real library refuses (sizes of attributes, leading dimensions, shapes, alignment, wrong devices), so that
// native/cuda/blas_cublaslt.cpp itself is tested on machines without a GPU.
#include <cstring>
#include <initializer_list>

#include "../../cuda/cublaslt_abi.h"

using namespace flam::cublaslt;

extern "C" void flam_emu_enqueue(cudaStream_t stream, void (*function)(void*), void* argument);
extern "C" void flam_emu_written(const void* memory, size_t bytes);

namespace flam::cublaslt {
struct handle_opaque {
  int device;
};
struct matmul_desc_opaque {
  int compute, scale, trans_a = op_n, trans_b = op_n, epilogue = epilogue_default;
  const void* bias = nullptr;
};
struct layout_opaque {
  int type;
  uint64_t rows, columns;
  int64_t lead;
  int32_t batch = 1;
  int64_t stride = 0;
};
struct preference_opaque {
  uint64_t workspace = 0;
  uint32_t align_a = 256, align_b = 256, align_c = 256, align_d = 256;
};
}  // namespace flam::cublaslt

namespace {

enum : int { invalid = 7 };
constexpr size_t workspace_bytes = 4096;  // asked for so that its arrival is tested

int bytes_of(int type) { return type == r_64f ? 8 : type == r_32f ? 4 : 2; }

double get(int type, const void* p, int64_t i) {
  if (type == r_64f) return static_cast<const double*>(p)[i];
  if (type == r_32f) return static_cast<const float*>(p)[i];
  const uint16_t bits = static_cast<const uint16_t*>(p)[i];
  if (type == r_16f) {
    _Float16 h;
    std::memcpy(&h, &bits, 2);
    return double(h);
  }
  const uint32_t wide = uint32_t(bits) << 16;
  float x;
  std::memcpy(&x, &wide, 4);
  return x;
}

void put(int type, void* p, int64_t i, double v) {
  if (type == r_64f) {
    static_cast<double*>(p)[i] = v;
  } else if (type == r_32f) {
    static_cast<float*>(p)[i] = float(v);
  } else if (type == r_16f) {
    const _Float16 h = _Float16(float(v));
    std::memcpy(static_cast<uint16_t*>(p) + i, &h, 2);
  } else {
    const float x = float(v);
    uint32_t u;
    std::memcpy(&u, &x, 4);
    static_cast<uint16_t*>(p)[i] = v != v ? 0x7fc0 : uint16_t((u + 0x7fff + (u >> 16 & 1)) >> 16);
  }
}

struct job {
  matmul_desc_opaque desc;
  layout_opaque a, b, c, d;
  double alpha, beta;
  const void *pa, *pb, *pc;
  void* pd;
};

double dot(const job& j, int64_t batch, int64_t row, int64_t column, int64_t k) {
  double sum = 0;
  for (int64_t p = 0; p < k; p++) {
    const int64_t ia = j.desc.trans_a == op_n ? row + p * j.a.lead : p + row * j.a.lead;
    const int64_t ib = j.desc.trans_b == op_n ? p + column * j.b.lead : column + p * j.b.lead;
    sum += get(j.a.type, j.pa, ia + batch * j.a.stride) * get(j.b.type, j.pb, ib + batch * j.b.stride);
  }
  return sum;
}

void run(void* argument) {
  job* j = static_cast<job*>(argument);
  const int64_t k = int64_t(j->desc.trans_a == op_n ? j->a.columns : j->a.rows);
  const int64_t rows = int64_t(j->d.rows), bytes = bytes_of(j->d.type);
  for (int64_t batch = 0; batch < j->d.batch; batch++)
    for (int64_t column = 0; column < int64_t(j->d.columns); column++) {
      flam_emu_written(static_cast<char*>(j->pd) + (column * j->d.lead + batch * j->d.stride) * bytes, size_t(rows * bytes));
      for (int64_t row = 0; row < rows; row++) {
        double v = j->alpha * dot(*j, batch, row, column, k);
        if (j->beta != 0) v += j->beta * get(j->c.type, j->pc, row + column * j->c.lead + batch * j->c.stride);
        if (j->desc.epilogue == epilogue_bias) v += get(j->d.type, j->desc.bias, row);
        put(j->d.type, j->pd, row + column * j->d.lead + batch * j->d.stride, v);
      }
    }
  delete j;
}

bool shapes_agree(matmul_desc desc, layout a, layout b, layout c, layout d) {
  const uint64_t m = desc->trans_a == op_n ? a->rows : a->columns, ka = desc->trans_a == op_n ? a->columns : a->rows;
  const uint64_t n = desc->trans_b == op_n ? b->columns : b->rows, kb = desc->trans_b == op_n ? b->rows : b->columns;
  const bool types = a->type == b->type && a->type == d->type && c->type == d->type;
  const bool wide = (desc->compute == compute_64f) == (a->type == r_64f) && (desc->scale == r_64f) == (a->type == r_64f);
  return types && wide && ka == kb && d->rows == m && d->columns == n && c->rows == m && c->columns == n && a->batch == d->batch &&
         b->batch == d->batch && (desc->compute != compute_32f_fast_tf32 || a->type == r_32f);
}

bool aligned(const void* p, uint32_t bytes) { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }

}  // namespace

#define FLAM_VENDOR extern "C" __attribute__((visibility("default")))

FLAM_VENDOR int cublasLtCreate(handle* h) {
  *h = new handle_opaque;
  return cudaGetDevice(&(*h)->device);
}
FLAM_VENDOR int cublasLtDestroy(handle h) {
  delete h;
  return success;
}
FLAM_VENDOR size_t cublasLtGetVersion(void) { return 130000; }

FLAM_VENDOR int cublasLtMatmulDescCreate(matmul_desc* d, int compute, int scale) {
  *d = new matmul_desc_opaque{compute, scale};
  return success;
}
FLAM_VENDOR int cublasLtMatmulDescDestroy(matmul_desc d) {
  delete d;
  return success;
}
FLAM_VENDOR int cublasLtMatmulDescSetAttribute(matmul_desc d, int attribute, const void* value, size_t bytes) {
  if (attribute == desc_bias_pointer) {
    if (bytes != sizeof(void*)) return invalid;
    std::memcpy(&d->bias, value, bytes);
    return success;
  }
  if (bytes != 4) return invalid;
  int32_t v;
  std::memcpy(&v, value, 4);
  if (attribute == desc_trans_a) d->trans_a = v;
  else if (attribute == desc_trans_b) d->trans_b = v;
  else if (attribute == desc_epilogue) d->epilogue = v;
  else return invalid;
  return success;
}

FLAM_VENDOR int cublasLtMatrixLayoutCreate(layout* l, int type, uint64_t rows, uint64_t columns, int64_t lead) {
  *l = nullptr;
  if (lead < int64_t(rows) || rows == 0 || columns == 0) return invalid;
  *l = new layout_opaque{type, rows, columns, lead};
  return success;
}
FLAM_VENDOR int cublasLtMatrixLayoutDestroy(layout l) {
  delete l;
  return success;
}
FLAM_VENDOR int cublasLtMatrixLayoutSetAttribute(layout l, int attribute, const void* value, size_t bytes) {
  if (attribute == layout_batch_count && bytes == 4) std::memcpy(&l->batch, value, 4);
  else if (attribute == layout_batch_stride && bytes == 8) std::memcpy(&l->stride, value, 8);
  else return invalid;
  return success;
}

FLAM_VENDOR int cublasLtMatmulPreferenceCreate(preference* p) {
  *p = new preference_opaque;
  return success;
}
FLAM_VENDOR int cublasLtMatmulPreferenceDestroy(preference p) {
  delete p;
  return success;
}
FLAM_VENDOR int cublasLtMatmulPreferenceSetAttribute(preference p, int attribute, const void* value, size_t bytes) {
  if (attribute == preference_workspace) {
    if (bytes != 8) return invalid;
    std::memcpy(&p->workspace, value, 8);
    return success;
  }
  if (bytes != 4) return invalid;
  uint32_t* const to = attribute == preference_align_a   ? &p->align_a
                       : attribute == preference_align_b ? &p->align_b
                       : attribute == preference_align_c ? &p->align_c
                       : attribute == preference_align_d ? &p->align_d
                                                         : nullptr;
  if (to) std::memcpy(to, value, 4);
  return to || attribute == preference_reduction ? int(success) : int(invalid);
}

// The algorithm carries the alignments it was promised, and how much workspace it needs.
FLAM_VENDOR int cublasLtMatmulAlgoGetHeuristic(handle, matmul_desc desc, layout a, layout b, layout c, layout d, preference p, int wanted,
                                               heuristic* all, int* found) {
  *found = 0;
  if (!shapes_agree(desc, a, b, c, d)) return invalid;
  for (; *found < wanted && *found < 2; ++*found) {
    heuristic& h = all[*found];
    std::memset(&h, 0, sizeof h);
    h.algo.data[0] = uint64_t(p->align_a) | uint64_t(p->align_b) << 32;
    h.algo.data[1] = uint64_t(p->align_c) | uint64_t(p->align_d) << 32;
    h.workspace_bytes = h.algo.data[2] = p->workspace >= workspace_bytes && *found == 0 ? workspace_bytes : 0;
  }
  return success;
}

FLAM_VENDOR int cublasLtMatmul(handle h, matmul_desc desc, const void* alpha, const void* pa, layout a, const void* pb, layout b,
                               const void* beta, const void* pc, layout c, void* pd, layout d, const algorithm* algo, void* workspace,
                               size_t given, cudaStream_t stream) {
  int device;
  cudaGetDevice(&device);
  if (h->device != device || !shapes_agree(desc, a, b, c, d) || given < algo->data[2] || (given && !workspace)) return invalid;
  if (!aligned(pa, uint32_t(algo->data[0])) || !aligned(pb, uint32_t(algo->data[0] >> 32)) || !aligned(pc, uint32_t(algo->data[1])) ||
      !aligned(pd, uint32_t(algo->data[1] >> 32)))
    return invalid;
  for (const void* p : {pa, pb, pc, static_cast<const void*>(pd), desc->epilogue == epilogue_bias ? desc->bias : pd}) {
    cudaPointerAttributes where;
    cudaPointerGetAttributes(&where, p);
    if (where.type != cudaMemoryTypeDevice || where.device != device || !aligned(p, uint32_t(bytes_of(a->type)))) return invalid;
  }
  const bool wide = a->type == r_64f;
  auto number = [&](const void* p) { return wide ? *static_cast<const double*>(p) : double(*static_cast<const float*>(p)); };
  flam_emu_enqueue(stream, run, new job{*desc, *a, *b, *c, *d, number(alpha), number(beta), pa, pb, pc, pd});
  return success;
}
