"""The rows of the benchmark in PyTorch, timed by CUDA events as bench.h does: one JSON line per row."""
import json
import sys

import torch
import torch.nn.functional as F

DEVICE = "cuda"
FILTER = sys.argv[1] if len(sys.argv) > 1 else ""


def time_us(call):
    start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)

    def once(calls):
        start.record()
        for _ in range(calls):
            call()
        stop.record()
        stop.synchronize()
        return start.elapsed_time(stop) * 1000 / calls

    once(3)
    calls = int(min(1000, max(3, 10000 / max(once(3), 1))))
    return sorted(once(calls) for _ in range(5))[2]


def row(name, call):
    if FILTER in name:
        print(json.dumps({"name": name, "us": round(time_us(call), 3)}), flush=True)


def rand(*shape, dtype=torch.float32):
    return torch.randn(*shape, device=DEVICE, dtype=dtype)


def elementwise(n):
    for dtype, suffix in ((torch.float32, " float32"), (torch.bfloat16, " bfloat16")):
        a, b, y = rand(n, dtype=dtype), rand(n, dtype=dtype), rand(n, dtype=dtype)
        row("device copy" + suffix, lambda: y.copy_(a))
        row("add" + suffix, lambda: torch.add(a, b, out=y))
        row("exp" + suffix, lambda: torch.exp(a, out=y))
        row("gelu" + suffix, lambda: F.gelu(a))
        row("tanh" + suffix, lambda: torch.tanh(a, out=y))
        row("relu" + suffix, lambda: torch.relu(a))
        row("gelu_backward" + suffix, lambda: torch.ops.aten.gelu_backward(a, b))
        row("dropout" + suffix, lambda: torch.native_dropout(a, 0.1, True))
        row("uniform" + suffix, lambda: y.uniform_())
        row("fill" + suffix, lambda: y.zero_())
    x, h = rand(n), rand(n, dtype=torch.bfloat16)
    row("cast float32 to bfloat16", lambda: h.copy_(x))


def layouts(rows, cols):
    x, y, bias, column = rand(rows, cols), rand(rows, cols), rand(cols), rand(rows, 1)
    row("add a row to each row", lambda: torch.add(x, bias, out=y))
    row("add a column to each column", lambda: torch.add(x, column, out=y))
    row("transpose", lambda: y.copy_(x.t()))


def reductions(rows, cols):
    x = rand(rows, cols)
    row("sum of all", lambda: x.sum())
    row("sum of rows", lambda: x.sum(1))
    row("sum of columns", lambda: x.sum(0))
    row("amax of rows", lambda: x.amax(1))
    row("var and mean of rows", lambda: torch.var_mean(x, 1))
    row("argmax of rows", lambda: x.argmax(1))
    row("cumsum of rows", lambda: x.cumsum(1))


def norms(rows, cols):
    for dtype, suffix in ((torch.float32, " float32"), (torch.bfloat16, " bfloat16")):
        x, dy, w, b = rand(rows, cols, dtype=dtype), rand(rows, cols, dtype=dtype), rand(cols, dtype=dtype), rand(cols, dtype=dtype)
        y = x.softmax(1)
        row("softmax" + suffix, lambda: x.softmax(1))
        row("softmax backward" + suffix, lambda: torch.ops.aten._softmax_backward_data(dy, y, 1, dtype))
        z, mean, rstd = torch.native_layer_norm(x, [cols], w, b, 1e-5)
        row("layer_norm" + suffix, lambda: torch.native_layer_norm(x, [cols], w, b, 1e-5))
        row("layer_norm backward" + suffix,
            lambda: torch.ops.aten.native_layer_norm_backward(dy, x, [cols], mean, rstd, w, b, [True, True, True]))


def planes(batch, channels, side):
    x, dy, w, b = rand(batch, channels, side, side), rand(batch, channels, side, side), rand(channels), rand(channels)
    m, v = rand(channels), rand(channels).abs()
    y, mean, rstd = torch.native_batch_norm(x, w, b, m, v, True, 0.1, 1e-5)
    row("batch_norm", lambda: torch.native_batch_norm(x, w, b, m, v, True, 0.1, 1e-5))
    row("batch_norm backward",
        lambda: torch.ops.aten.native_batch_norm_backward(dy, x, w, m, v, mean, rstd, True, 1e-5, [True, True, True]))
    small, index = F.max_pool2d(x, 2, return_indices=True)
    row("max_pool 2x2", lambda: F.max_pool2d(x, 2, return_indices=True))
    row("max_pool 2x2 backward",
        lambda: torch.ops.aten.max_pool2d_with_indices_backward(small, x, [2, 2], [2, 2], [0, 0], [1, 1], False, index))
    row("avg_pool 2x2", lambda: F.avg_pool2d(x, 2))


def tables(words, width, picked):
    table, index, y = rand(words, width), torch.randint(words, (picked,), device=DEVICE), rand(picked, width)
    row("embedding", lambda: F.embedding(index, table))
    row("embedding backward", lambda: torch.ops.aten.embedding_dense_backward(y, index, words, -1, False))
    logits = rand(picked // 8, words, dtype=torch.bfloat16)
    target = torch.randint(words, (picked // 8,), device=DEVICE)
    row("cross_entropy", lambda: F.cross_entropy(logits, target, reduction="none"))
    leaf = logits.requires_grad_()
    loss = F.cross_entropy(leaf, target, reduction="none")
    dloss = torch.ones_like(loss)
    row("cross_entropy backward", lambda: torch.autograd.grad(loss, leaf, dloss, retain_graph=True))


def optimizers(n):
    sizes = (n // 2, n // 4, n // 8, n // 8)
    params = [torch.nn.Parameter(rand(s)) for s in sizes]
    for p in params:
        p.grad = torch.randn_like(p)
    adamw = torch.optim.AdamW(params, lr=1e-3, fused=True)
    row("adamw step", adamw.step)
    sgd = torch.optim.SGD(params, lr=1e-3, momentum=0.9, fused=True)
    row("sgd momentum step", sgd.step)


def sorting(n):
    x = rand(1, n)
    row("sort", lambda: x.sort(1))
    row("topk 64", lambda: x.topk(64, 1))


def products(n):
    for name, dtype, tf32 in (("float32", torch.float32, False), ("tf32", torch.float32, True), ("bfloat16", torch.bfloat16, False)):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        a, b, y = rand(n, n, dtype=dtype), rand(n, n, dtype=dtype), rand(n, n, dtype=dtype)
        row(f"mm {n} {name}", lambda: torch.mm(a, b, out=y))


def convolution(batch, cin, cout, side, kernel, stride, dtype):
    pad = kernel // 2
    x, w = rand(batch, cin, side, side, dtype=dtype), rand(cout, cin, kernel, kernel, dtype=dtype)
    y = F.conv2d(x, w, stride=stride, padding=pad)
    name = f"conv {cin}-{cout} {side}px {kernel}x{kernel}/{stride}" + (" tf32" if dtype == torch.float32 else " bfloat16")
    row(name, lambda: F.conv2d(x, w, stride=stride, padding=pad))
    for suffix, mask in ((" dx", [True, False, False]), (" dw", [False, True, False])):
        row(name + suffix, lambda: torch.ops.aten.convolution_backward(
            y, x, w, None, [stride, stride], [pad, pad], [1, 1], False, [0, 0], 1, mask))


def attention(batch, heads, tokens, d, causal):
    q, k, v = (rand(batch, heads, tokens, d, dtype=torch.bfloat16).requires_grad_() for _ in range(3))
    name = f"attention {tokens} d{d}" + (" causal" if causal else "")
    with torch.no_grad():
        row(name, lambda: F.scaled_dot_product_attention(q, k, v, is_causal=causal))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    dy = torch.randn_like(y)
    row(name + " backward", lambda: torch.autograd.grad(y, (q, k, v), dy, retain_graph=True))


def main():
    print(json.dumps({"machine": torch.cuda.get_device_name(), "torch": torch.__version__}), flush=True)
    with torch.no_grad():
        elementwise(1 << 26)
        layouts(1 << 13, 1 << 13)
        reductions(1 << 16, 1 << 10)
        norms(1 << 16, 1 << 10)
        planes(64, 256, 56)
    tables(50257, 768, 1 << 16)
    optimizers(1 << 26)
    with torch.no_grad():
        sorting(1 << 24)
        for n in (1024, 2048, 4096, 8192):
            products(n)
        for dtype in (torch.float32, torch.bfloat16):
            for layer in ((3, 64, 224, 7, 2), (64, 64, 56, 3, 1), (64, 256, 56, 1, 1), (128, 128, 28, 3, 1), (256, 256, 14, 3, 1),
                          (512, 512, 7, 3, 1), (1024, 2048, 14, 1, 2)):
                convolution(64, *layer, dtype)
    for d in (64, 128):
        for tokens in (512, 2048, 8192):
            for causal in (False, True):
                attention(max(1, 16384 // tokens), 2048 // d, tokens, d, causal)


main()
