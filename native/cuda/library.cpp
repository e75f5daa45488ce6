#include "library.h"

#include <cstdlib>
#include <cstring>
#include <vector>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace flam {
namespace cuda {
namespace {

#if defined(_WIN32)
constexpr char list_separator = ';', path_separator = '\\';

std::string file_name(const char* name, int major) {
  if (!std::strcmp(name, "cuda")) return "nvcuda.dll";
  const std::string number = std::to_string(major);
  return name + ("64_" + number) + (std::strcmp(name, "nvrtc") ? "" : "0_0") + ".dll";
}
void* open_file(const std::string& path, std::string* reason) {
  const bool whole = path.find(path_separator) != std::string::npos;
  const UINT mode = SetErrorMode(SEM_FAILCRITICALERRORS);
  void* handle = LoadLibraryExA(path.c_str(), nullptr, whole ? LOAD_WITH_ALTERED_SEARCH_PATH : 0);
  const DWORD code = GetLastError();
  SetErrorMode(mode);
  if (!handle && code != ERROR_MOD_NOT_FOUND) *reason = path + " cannot be loaded: error " + std::to_string(code);
  return handle;
}
#else
constexpr char list_separator = ':', path_separator = '/';

std::string file_name(const char* name, int major) { return "lib" + (name + (".so." + std::to_string(major))); }

void* open_file(const std::string& path, std::string* reason) {
  if (void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
  const char* text = dlerror();  // "<file>: cannot open shared object file: ..." where the file itself is missing
  const bool missing = text && !std::strncmp(text, path.c_str(), path.size()) && std::strstr(text, "No such file");
  if (text && !missing) *reason = text;
  return nullptr;
}
#endif

void add_folders(std::vector<std::string>* folders, const char* list, const char* below = "") {
  if (!list) return;
  for (const char* start = list; *start;) {
    const char* end = std::strchr(start, list_separator);
    if (!end) end = start + std::strlen(start);
    if (end > start) folders->push_back(std::string(start, end) + below);
    start = *end ? end + 1 : end;
  }
}

// "" stands for where the system looks.
std::vector<std::string> folders_to_search() {
  std::vector<std::string> folders;
  add_folders(&folders, std::getenv("FLAMBEAU_CUDA_LIBRARIES"));
  folders.push_back("");
  for (const char* home : {"CUDA_HOME", "CUDA_PATH"}) {
#if defined(_WIN32)
    add_folders(&folders, std::getenv(home), "\\bin\\x64");  // since CUDA 13
    add_folders(&folders, std::getenv(home), "\\bin");
#else
    add_folders(&folders, std::getenv(home), "/lib64");
#endif
  }
#if !defined(_WIN32)
  folders.push_back("/usr/local/cuda/lib64");
#endif
  return folders;
}

}  // namespace

vendor_library::vendor_library(const char* name, std::initializer_list<int> majors) {
  std::string reason;
  for (const std::string& folder : folders_to_search()) {
    for (const int major : majors) {
      path_ = folder.empty() ? file_name(name, major) : folder + path_separator + file_name(name, major);
      handle_ = open_file(path_, &reason);
      if (handle_) return;
    }
  }
  path_.clear();
  for (const int major : majors) why_not_ += (why_not_.empty() ? "" : " or ") + file_name(name, major);
  why_not_ += " was not found";
  if (!reason.empty()) why_not_ += " (" + reason + ")";
}

void* vendor_library::symbol(const char* name) const {
  if (!handle_) return nullptr;
#if defined(_WIN32)
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), name));
#else
  return dlsym(handle_, name);
#endif
}

}  // namespace cuda
}  // namespace flam
