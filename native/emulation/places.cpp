// Finds lines of the source and the memory of libraries.
#include "places.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

namespace flam_emu {
namespace {

struct segment {
  const char *begin, *end;
};
int add_segments(dl_phdr_info* info, size_t, void* all) {
  for (int i = 0; i < info->dlpi_phnum; i++) {
    if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
    const char* begin = reinterpret_cast<const char*>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    static_cast<std::vector<segment>*>(all)->push_back({begin, begin + info->dlpi_phdr[i].p_memsz});
  }
  return 0;
}

}  // namespace

bool in_a_library(const void* address) {
  const char* p = static_cast<const char*>(address);
  static const std::vector<segment> segments = [] {
    std::vector<segment> all;
    dl_iterate_phdr(&add_segments, &all);
    return all;
  }();
  static segment last{};  // most accesses are to the variables of one library
  if (p >= last.begin && p < last.end) return true;
  const auto it = std::find_if(segments.begin(), segments.end(), [p](const segment& s) { return p >= s.begin && p < s.end; });
  if (it == segments.end()) return false;
  last = *it;
  return true;
}

std::string place_of(const void* pc) {
  const char* call = static_cast<const char*>(pc) - 1;
  Dl_info info;
  if (!dladdr(call, &info)) return "unknown place";
  const size_t offset = size_t(call - static_cast<char*>(info.dli_fbase));
  char command[4200];
  std::snprintf(command, sizeof command, "addr2line -i -s -e '%s' 0x%zx 2>/dev/null", info.dli_fname, offset);
  std::string places;
  if (std::FILE* pipe = popen(command, "r")) {
    char line[512];
    while (std::fgets(line, sizeof line, pipe)) {
      line[std::strcspn(line, " \n")] = 0;
      if (std::strchr(line, '?') || std::strstr(line, "flam_device_emu.h")) continue;
      places += (places.empty() ? "" : " in ") + std::string(line);
    }
    pclose(pipe);
  }
  if (!places.empty()) return places;
  const char* slash = std::strrchr(info.dli_fname, '/');
  std::snprintf(command, sizeof command, "%s+0x%zx", slash ? slash + 1 : info.dli_fname, offset);
  return command;
}

}  // namespace flam_emu
