#include "isa.h"

#include <cstdlib>
#include <cstring>

namespace flam {

static isa_level detect() {
  int level = 0;
#if defined(FLAM_MULTI_ISA)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  level = avx2 ? (avx512 ? 2 : 1) : 0;
  const char* wanted = std::getenv("FLAMBEAU_ISA");
  if (wanted && !std::strcmp(wanted, "baseline")) level = 0;
  if (wanted && !std::strcmp(wanted, "avx2") && level > 1) level = 1;
#endif
  return isa_level(level);
}

isa_level isa() {
  static const isa_level level = detect();
  return level;
}

const char* isa_name() {
  static const char* const names[] = {"baseline", "avx2", "avx512"};
  return names[int(isa())];
}

}  // namespace flam
