// Prints one JSON line per kernel: microseconds, bytes, operations. Options: --smoke, and part of a row's name.
#include <cstring>

#include "bench.h"

int main(int argc, char** argv) {
  bench::options o;
  for (int i = 1; i < argc; i++) {
    if (!std::strcmp(argv[i], "--smoke")) o.smoke = true;
    else o.filter = argv[i];
  }
  int32_t devices = 0;
  flam_cuda_device_count(&devices);
  if (devices == 0) {
    std::fprintf(stderr, "no CUDA device: %s\n", flam_cuda_why_not());
    return 1;
  }
  bench::memory_rows(o);
  bench::product_rows(o);
  return 0;
}
