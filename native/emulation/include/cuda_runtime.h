// Shadow of cuda_runtime.h, for clang in CUDA mode (PTX) and for plain C++ (emulation).
#pragma once
#include "cuda_runtime_api.h"
#if defined(__CUDA__) && defined(__clang__)
#include "flam_device_check.h"
#else
#include "flam_device_emu.h"
#endif
