// flam_op_id: an op's place in its list of ops.def. Callers ask once and keep the number.
#include <cstring>

#include "../../native/error.h"
#include "../../native/isa.h"

#if defined(FLAM_ISA_BASELINE)
namespace {

const char* const unary_names[] = {
#define FLAM_UNARY(name, dtypes, result) #name,
#include "../../bindings/ops.def"
    nullptr};
const char* const binary_names[] = {
#define FLAM_BINARY(name, dtypes, result) #name,
#include "../../bindings/ops.def"
    nullptr};
const char* const ternary_names[] = {
#define FLAM_TERNARY(name, dtypes) #name,
#include "../../bindings/ops.def"
    nullptr};
const char* const reduce_names[] = {
#define FLAM_REDUCE(name) #name,
#include "../../bindings/ops.def"
    nullptr};
const char* const scan_names[] = {
#define FLAM_SCAN(name) #name,
#include "../../bindings/ops.def"
    nullptr};

struct {
  const char* kind;
  const char* const* names;
} const kinds[] = {
    {"unary", unary_names}, {"binary", binary_names}, {"ternary", ternary_names}, {"reduce", reduce_names}, {"scan", scan_names}};

}  // namespace

extern "C" FLAM_API int32_t flam_op_id(const char* kind, const char* name) {
  if (!kind || !name) return -1;
  for (const auto& k : kinds) {
    if (std::strcmp(k.kind, kind) != 0) continue;
    for (int32_t id = 0; k.names[id]; id++)
      if (std::strcmp(k.names[id], name) == 0) return id;
  }
  return -1;
}
#endif
