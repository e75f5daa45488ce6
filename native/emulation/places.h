// Where code and constants lie: lines of the source, and the memory of libraries.
#pragma once
#include <string>

namespace flam_emu {

// The call that returns to `pc`: "file:line", with the callers it was inlined into, if addr2line knows; else "library+offset".
std::string place_of(const void* pc);
bool in_a_library(const void* p);  // constants, __device__ variables

}  // namespace flam_emu
