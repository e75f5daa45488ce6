"""The workloads of Steps/ in PyTorch, eager and graphed, timed the same way: one JSON line per row."""
import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

FILTER = sys.argv[1] if len(sys.argv) > 1 else ""


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1)
        self.hidden, self.output = nn.Linear(64 * 7 * 7, 128), nn.Linear(128, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.output(F.relu(self.hidden(x.flatten(1))))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.project(mixed.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, vocabulary, tokens, width, heads, layers):
        super().__init__()
        self.words, self.places = nn.Embedding(vocabulary, width), nn.Embedding(tokens, width)
        self.blocks, self.norm = nn.ModuleList(Block(width, heads) for _ in range(layers)), nn.LayerNorm(width)

    def forward(self, text):
        x = self.words(text) + self.places(torch.arange(text.shape[1], device=text.device))
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.words.weight)


def measure(name, step):
    for _ in range(5):
        step()
    torch.cuda.synchronize()
    start = time.perf_counter()
    step()
    torch.cuda.synchronize()
    steps = int(min(200, max(3, 0.4 / (time.perf_counter() - start))))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(steps):
            step()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1e6 / steps)
    print(json.dumps({"name": name, "us": round(sorted(times)[2], 1)}), flush=True)


def workload(name, model, dtype, x, classes, targets):
    if FILTER not in name:
        return
    model = model.to("cuda", dtype)
    x = (x.to(dtype) if x.is_floating_point() else x).cuda()
    target = torch.randint(classes, targets, device="cuda")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def loss():
        return F.cross_entropy(model(x).flatten(0, -2), target.flatten())

    def step():
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    measure("step " + name, step)

    def gradients():
        for p in model.parameters():
            p.grad.zero_()
        loss().backward()

    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(2):
            gradients()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        gradients()

    def replay():
        graph.replay()
        optimizer.step()

    measure("graphed " + name, replay)


f32, bf16 = torch.float32, torch.bfloat16
mlp = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
workload("mlp 784-512-512-10, 128 rows, float32", mlp, f32, torch.rand(128, 784), 10, (128,))
workload("cnn 32-64, 64 images of 28x28, float32", Cnn(), f32, torch.rand(64, 1, 28, 28), 10, (64,))
workload("transformer layer d512 h8, 16x512 tokens, bfloat16", Block(512, 8), bf16, torch.rand(16, 512, 512), 512, (16, 512))
workload("gpt 124M, 8x1024 tokens, bfloat16", Gpt(50257, 1024, 768, 12, 12), bf16, torch.randint(50257, (8, 1024)), 50257, (8, 1024))
