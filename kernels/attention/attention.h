// A call of flam_attention in numbers, the same for every device: y = softmax(scale q k^T) v for each head of a batch.
#pragma once
#include "../../native/view.h"

namespace flam {
inline namespace FLAM_ISA {

// [batch, heads, rows, d] with unit stride along d.
struct head_rows {
  char* data;
  int64_t batch, head, row;  // strides, in elements

  template <class T>
  FLAM_HD T* at(int64_t b, int64_t h, int64_t i) const {
    return reinterpret_cast<T*>(data) + b * batch + h * head + i * row;
  }
};

struct attention_task {
  int32_t dtype;
  int64_t batch, heads, tq, tk, d;
  double scale;
  bool causal;  // query i sees keys j <= i
  head_rows q, k, v, y;
  char* lse;  // [batch, heads, tq] contiguous
};

inline head_rows rows_of(const flam_tensor* x, const char* name) {
  if (x->rank != 4) fail(FLAM_INVALID_ARGUMENT, "%s must have 4 dimensions, not %d", name, x->rank);
  if (x->sizes[3] > 1 && x->strides[3] != 1) fail(FLAM_INVALID_ARGUMENT, "%s must have unit stride in its last dimension", name);
  return {static_cast<char*>(x->data), x->strides[0], x->strides[1], x->strides[2]};
}

inline attention_task describe_attention(const flam_tensor* q, const flam_tensor* k, const flam_tensor* v, const flam_tensor* y,
                                         const flam_tensor* lse, double scale, int32_t causal) {
  attention_task t{};
  t.q = rows_of(q, "q"), t.k = rows_of(k, "k"), t.v = rows_of(v, "v"), t.y = rows_of(y, "y");
  t.dtype = q->dtype;
  t.batch = q->sizes[0], t.heads = q->sizes[1], t.tq = q->sizes[2], t.tk = k->sizes[2], t.d = q->sizes[3];
  t.scale = scale, t.causal = causal != 0;
  t.lse = static_cast<char*>(lse->data);
  return t;
}

}  // namespace FLAM_ISA
}  // namespace flam
