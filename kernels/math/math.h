// The mathematical functions of all kernels.
#pragma once
#include "erf.h"
#include "exp.h"
#include "log.h"
#include "special.h"
#include "trig.h"
