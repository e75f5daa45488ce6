// Vendor libraries (cuBLASLt, cuDNN, NVRTC, the driver) are opened when they are first needed: a machine without them loses only what
// needs them, and says which file it looked for.
#pragma once
#include <initializer_list>
#include <string>

namespace flam {
namespace cuda {

// Looked for in the folders of FLAMBEAU_CUDA_LIBRARIES (separated as PATH is), where the system looks, below CUDA_HOME and CUDA_PATH,
// and in /usr/local/cuda. Never closed: keep one per name in a function's static.
//   static const auto& blas = *new vendor_library("cublasLt", {13, 12});
//   if (!blas.bind(&create, "cublasLtCreate")) fail(FLAM_NOT_SUPPORTED, "matmul needs cuBLASLt: %s", blas.why_not().c_str());
class vendor_library {
 public:
  // The first of the major versions that opens; libcublasLt.so.13 and cublasLt64_13.dll are cublasLt.
  vendor_library(const char* name, std::initializer_list<int> majors);
  explicit operator bool() const { return handle_ != nullptr; }
  const std::string& path() const { return path_; }        // what was opened
  const std::string& why_not() const { return why_not_; }  // e.g. "libcublasLt.so.13 or libcublasLt.so.12 was not found", or ""

  void* symbol(const char* name) const;  // null if the library or the function is missing
  template <class Function>
  bool bind(Function** function, const char* name) const {
    *function = reinterpret_cast<Function*>(symbol(name));
    return *function != nullptr;
  }

 private:
  void* handle_ = nullptr;
  std::string path_, why_not_;
};

}  // namespace cuda
}  // namespace flam
