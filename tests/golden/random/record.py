#!/usr/bin/env python3
"""Records what PyTorch's CPU generator draws: python3 tests/golden/random/record.py > tests/golden/random/random.txt

`seed S` starts a sequence; each further line is one call, state carrying over:
    op dtype n a b hash sample...
hash = sum of (bits[i] + 1) (2 i + 1) mod 2^64 over the raw elements; samples: bits of the first, middle and last element.
"""
import numpy as np
import torch

SIZES = [1, 2, 5, 15, 16, 17, 31, 100, 1000, 4097]
FLOATS = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.bool, torch.float32, torch.float64]
RAW = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def show(op, y, a, b):
    size = y.element_size()
    bits = y.contiguous().view(-1).view(RAW[size]).numpy().view(UNSIGNED[size]).astype(np.uint64)
    n = len(bits)
    places = 2 * np.arange(n, dtype=np.uint64) + np.uint64(1)
    total = int(((bits + np.uint64(1)) * places).sum(dtype=np.uint64))
    samples = " ".join(f"{int(bits[i]):x}" for i in (0, n // 2, n - 1))
    print(f"{op} {str(y.dtype)[6:]} {y.numel()} {a} {b} {total:x} {samples}")


def integers(dtype, n):
    ranges = [(0, 2), (3, 100)]
    if dtype in (torch.int32, torch.int64, torch.float64):
        ranges.append((-(2**31), 2**31 - 1))
    if dtype == torch.int64:
        ranges += [(-(2**31), 2**31), (-(2**60), 2**61)]
    for low, high in ranges if dtype != torch.bool else [(0, 2)]:
        show("integers", torch.empty(n, dtype=dtype).random_(low, high), low, high)


def weights(n, dtype):
    return torch.tensor([(j * 7919) % 101 + (j == 0) for j in range(n)], dtype=dtype)


def record(seed, n):
    for dtype in FLOATS:
        y = torch.empty(n, dtype=dtype)
        for low, high in [(0, 1), (-0.3, 2.7)]:
            show("uniform", y.uniform_(low, high), low, high)
        for mean, std in [(0, 1), (-0.1, 0.02)]:
            show("normal", y.normal_(mean, std), mean, std)
        show("exponential", y.exponential_(1.5), 1.5, 0)
    for dtype in INTEGERS:
        integers(dtype, n)
    show("permutation", torch.randperm(n), 0, 0)
    for dtype in [torch.float32, torch.float64]:
        w = weights(n, dtype)
        positive = int((w > 0).sum())
        # a: the number of weights, negative without replacement; b: their bits
        wide = 64 if dtype == torch.float64 else 32
        show("multinomial", torch.multinomial(w, min(n, 20), True), n, wide)
        show("multinomial", torch.multinomial(w, min(positive, 7)), -n, wide)


for seed in [0, 42, 2**32 + 7]:
    torch.manual_seed(seed)
    print(f"seed {seed}")
    for n in SIZES:
        record(seed, n)
