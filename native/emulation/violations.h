// Violations: what a kernel or a call of the CUDA API must not do. Each one is counted, printed, and given back as an error's text.
#pragma once
#include <string>

#include "include/cuda_runtime_api.h"

namespace flam_emu {

// Counts and prints a violation; aborts if FLAM_EMU_CHECK_ABORT is set.
void violation(const std::string& text);

// The status of an API call, kept for cudaGetLastError; `text`, if any, is what cudaGetErrorString says about it.
cudaError_t result(cudaError_t status, std::string text = "");
cudaError_t misuse(const std::string& text, cudaError_t status = cudaErrorInvalidValue);  // the result() of a violation

// Notes that a kernel ran; each name is appended to FLAM_EMU_LAUNCHES once.
void note_launch(const char* kernel);

}  // namespace flam_emu
