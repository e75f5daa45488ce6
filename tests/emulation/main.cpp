// Runs each planted program in a process of its own and compares what the emulation said with what it must say.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "planted.h"

extern "C" int flam_emulation_violations();
int count_violations() { return flam_emulation_violations(); }

namespace {

void set_environment(const std::string& assignment) {
  const size_t equals = assignment.find('=');
  if (equals != std::string::npos) setenv(assignment.substr(0, equals).c_str(), assignment.substr(equals + 1).c_str(), 1);
}

[[noreturn]] void run_here(const planted::program& p, int to) {
  if (!std::freopen("/dev/null", "w", stderr)) std::abort();
  set_environment(p.environment);
  const std::string outcome = p.body();
  if (write(to, outcome.data(), outcome.size()) < 0) std::abort();
  _exit(0);
}

std::string outcome_of(const planted::program& p) {
  int ends[2];
  if (pipe(ends)) std::abort();
  const pid_t child = fork();
  if (child == 0) run_here(p, ends[1]);
  close(ends[1]);
  std::string outcome;
  char part[4096];
  for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;) outcome.append(part, size_t(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status)) : outcome;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string filter = argc > 1 ? argv[1] : "";
  int passed = 0, failed = 0;
  for (const planted::program& p : planted::programs()) {
    if (std::string(p.name).find(filter) == std::string::npos) continue;
    const std::string outcome = outcome_of(p);
    const bool right = outcome.find(p.expected) != std::string::npos;
    (right ? passed : failed)++;
    if (!right || argc > 1)
      std::printf("%s %s: expected \"%s\", got \"%s\"\n", right ? "passed" : "FAILED", p.name, p.expected, outcome.c_str());
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}
