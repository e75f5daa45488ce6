// Reads the FLAM_EMU_* environment variables.
#include "settings.h"

#include <cstdlib>
#include <string>

namespace flam_emu {
namespace {

long number(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text && *text ? std::atol(text) : otherwise;
}

run_order order() {
  const char* text = std::getenv("FLAM_EMU_ORDER");
  const std::string name = text ? text : "";
  return name == "reverse" ? run_order::reverse : name == "random" ? run_order::random : run_order::forward;
}

settings_t from_environment() {
  settings_t s;
  s.order = order();
  s.seed = uint64_t(number("FLAM_EMU_SEED", 1));
  s.workers = checked ? 1 : int(number("FLAM_EMU_WORKERS", 2));  // the checker follows one sequential run
  s.lazy = number("FLAM_EMU_LAZY", 0) != 0;
  s.guard = number("FLAM_EMU_GUARD", 0) != 0;
  s.abort_at_first = number("FLAM_EMU_CHECK_ABORT", 0) != 0;
  s.no_driver = number("FLAM_EMU_NO_DRIVER", 0) != 0;
  s.devices = int(number("FLAM_EMU_DEVICES", 1));
  s.capability = int(number("FLAM_EMU_CAPABILITY", 90));
  s.memory_bytes = size_t(number("FLAM_EMU_MEM_MB", 2048)) << 20;
  s.launches = std::getenv("FLAM_EMU_LAUNCHES");
  return s;
}

settings_t& current() {
  static settings_t s = from_environment();
  return s;
}

}  // namespace

const settings_t& settings() { return current(); }
void read_settings() { current() = from_environment(); }

}  // namespace flam_emu
