#include "error.h"

#include <cstdio>

namespace flam {

// On the heap: a library that is opened at run time has little thread-local space.
static thread_local std::string last_error;

void set_last_error(const char* text) noexcept {
  try {
    last_error = text;
  } catch (...) {
    last_error.clear();
  }
}

void fail(int32_t status, const char* format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  std::vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  throw failure(status, text);
}

}  // namespace flam

extern "C" const char* flam_last_error(void) { return flam::last_error.c_str(); }
