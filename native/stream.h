// Stores that go past the caches: a result that is larger than they are need not be read before it is written, nor push others out.
#pragma once
#include <cstdint>
#include <cstring>

#include "isa.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace flam {
inline namespace FLAM_ISA {

constexpr int64_t stream_line = 64;  // what is written at a time

// to[0 .. bytes) = from[0 .. bytes); `to` at a multiple of stream_line. Call stream_end after the last one.
inline void stream(char* to, const char* from, int64_t bytes) {
  int64_t i = 0;
#if defined(__AVX__)
  for (; i + stream_line <= bytes; i += stream_line)
    for (int64_t j = 0; j < stream_line; j += 32)
      _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i + j), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i + j)));
#elif defined(__SSE2__)
  for (; i + stream_line <= bytes; i += stream_line)
    for (int64_t j = 0; j < stream_line; j += 16)
      _mm_stream_si128(reinterpret_cast<__m128i*>(to + i + j), _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i + j)));
#endif
  std::memcpy(to + i, from + i, size_t(bytes - i));
}

// Orders them before what the thread writes next, such as the signal that it is done.
inline void stream_end() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace FLAM_ISA
}  // namespace flam
