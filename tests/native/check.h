// The native tests' harness. A test file has TEST(name) { ... } blocks; tests/native/main.cpp runs them all.
#pragma once
#include <atomic>
#include <cmath>
#include <cstdio>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

namespace check {

struct test {
  const char* name;
  void (*body)();
};

inline std::vector<test>& tests() {
  static std::vector<test> all;
  return all;
}

// Failed checks of the running test; checks may come from several threads.
inline std::atomic<int>& failures() {
  static std::atomic<int> count{0};
  return count;
}

struct registration {
  registration(const char* name, void (*body)()) { tests().push_back({name, body}); }
};

inline void failed(const char* file, int line, const std::string& text) {
  constexpr int shown = 20;  // of one test; a wrong loop would print thousands
  const int before = failures()++;
  if (before < shown) std::printf("%s:%d: %s\n", file, line, text.c_str());
  if (before == shown) std::printf("%s:%d: further failures of this test are not shown\n", file, line);
}

template <class T>
std::string show(const T& value) {
  std::ostringstream out;
  out.precision(17);
  if constexpr (sizeof(T) == 1) out << int(value);
  else out << value;
  return out.str();
}
inline std::string show(const char* value) { return value ? '"' + std::string(value) + '"' : "null"; }

template <class A, class B>
void equal(const char* file, int line, const char* text, const A& a, const B& b) {
  if (!(a == b)) failed(file, line, std::string("CHECK_EQ(") + text + "): " + show(a) + " is not " + show(b));
}

// |a - b| <= tol; equal infinities are near, and so are two NaNs.
inline void near(const char* file, int line, const char* text, double a, double b, double tol) {
  if (a == b || (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) <= tol) return;
  const std::string values = show(a) + " and " + show(b) + " differ by " + show(std::fabs(a - b));
  failed(file, line, std::string("CHECK_NEAR(") + text + "): " + values + ", more than " + show(tol));
}

}  // namespace check

#define TEST(name)                                                       \
  static void test_##name();                                             \
  static const check::registration register_##name(#name, &test_##name); \
  static void test_##name()

#define CHECK(...) ((__VA_ARGS__) ? void() : check::failed(__FILE__, __LINE__, "CHECK(" #__VA_ARGS__ ") is false"))
#define CHECK_EQ(a, b) check::equal(__FILE__, __LINE__, #a ", " #b, (a), (b))
#define CHECK_NEAR(a, b, tol) check::near(__FILE__, __LINE__, #a ", " #b, double(a), double(b), double(tol))
