// Runs every TEST whose name contains argv[1] (all without it); exits 1 when one failed.
//   --list: prints the names instead;  --exactly NAME: that test alone
#include "check.h"

static bool passes(const check::test& test) {
  check::failures() = 0;
  try {
    test.body();
  } catch (const std::exception& e) {
    check::failed(test.name, 0, std::string("exception: ") + e.what());
  } catch (...) {
    check::failed(test.name, 0, "exception of an unknown type");
  }
  const int failed = check::failures();
  if (failed) std::printf("FAILED %s (%d failed checks)\n", test.name, failed);
  return failed == 0;
}

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 1 << 12);  // what was printed is kept when a test crashes the process
  const std::string filter = argc > 1 ? argv[1] : "", exact = filter == "--exactly" && argc > 2 ? argv[2] : "";
  const bool list = filter == "--list";
  int passed = 0, failed = 0;
  for (const check::test& test : check::tests()) {
    const std::string name = test.name;
    if (list) std::printf("%s\n", test.name);
    else if (exact.empty() ? name.find(filter) != std::string::npos : name == exact) (passes(test) ? passed : failed)++;
  }
  if (list) return 0;
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}
