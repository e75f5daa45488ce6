// The ids behind flam_op_id: one enum per kind, in the order of ops.def, so that a line there is all a new op needs.
#pragma once
#include <cstdint>

namespace flam {

// Which dtypes an op has; see the head of ops.def.
enum class dtype_set { FLOATING, NUMERIC, INTEGRAL, ALL, BITS };
enum class op_result { SAME, BOOL };

enum class unary_op : int32_t {
#define FLAM_UNARY(name, dtypes, result) name,
#include "../bindings/ops.def"
  count
};
enum class binary_op : int32_t {
#define FLAM_BINARY(name, dtypes, result) name,
#include "../bindings/ops.def"
  count
};
enum class ternary_op : int32_t {
#define FLAM_TERNARY(name, dtypes) name,
#include "../bindings/ops.def"
  count
};
enum class reduce_op : int32_t {
#define FLAM_REDUCE(name) name,
#include "../bindings/ops.def"
  count
};
enum class scan_op : int32_t {
#define FLAM_SCAN(name) name,
#include "../bindings/ops.def"
  count
};

}  // namespace flam
