#include "error.h"

#include <cstdio>
#include <cstring>

namespace flam {

static thread_local char last_error[1024];

void set_last_error(const char* text) noexcept {
  std::strncpy(last_error, text, sizeof(last_error) - 1);
  last_error[sizeof(last_error) - 1] = 0;
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

extern "C" const char* flam_last_error(void) { return flam::last_error; }
