#!/usr/bin/python3
"""Records ten training steps of three small networks in PyTorch: /usr/bin/python3 record_training.py training.safetensors

A bias in front of a normalisation, or of the keys, has no gradient but rounding, which Adam would blow up: those are left out.
Keys: <net>.x, <net>.target, <net>.losses [10], <net>.start.<parameter>, <net>.end.<parameter>; float32 throughout.
"""
import json, struct, sys
import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)


class Block(nn.Module):
    """One pre-norm transformer block over token embeddings, with tied positions and a vocabulary head."""

    def __init__(self, vocabulary=17, width=16, heads=4, tokens=12):
        super().__init__()
        self.heads = heads
        self.embed = nn.Embedding(vocabulary, width)
        self.position = nn.Embedding(tokens, width)
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, ids):
        b, t = ids.shape
        x = self.embed(ids) + self.position(torch.arange(t))
        q, k, v = [p.view(b, t, self.heads, -1).transpose(1, 2) for p in self.qkv(self.norm1(x)).chunk(3, dim=-1)]
        scores = q @ k.transpose(-2, -1) / (q.shape[-1] ** 0.5)
        scores = scores.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), float("-inf"))
        x = x + self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, -1))
        x = x + self.down(F.gelu(self.up(self.norm2(x))))
        return self.head(x).flatten(0, 1)


def mlp():
    return nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 5))


def cnn():
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 12, 3), nn.ReLU(),
                         nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12 * 2 * 2, 10))


def train(name, net, optimizer, x, target, out):
    out[name + ".x"], out[name + ".target"] = x, target
    for k, v in net.state_dict().items():
        out[f"{name}.start.{k}"] = v.clone()
    opt, losses = optimizer(net.parameters()), []
    for _ in range(10):
        opt.zero_grad()
        loss = F.cross_entropy(net(x), target.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        losses.append(loss.detach())
    out[name + ".losses"] = torch.stack(losses)
    for k, v in net.state_dict().items():
        out[f"{name}.end.{k}"] = v.clone()


def save(tensors, path):
    names = {torch.float32: "F32", torch.int64: "I64"}
    head, blob = {}, b""
    for k, v in tensors.items():
        data = v.contiguous().numpy().tobytes()
        head[k] = {"dtype": names[v.dtype], "shape": list(v.shape), "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + blob)


torch.manual_seed(7)
out = {}
train("mlp", mlp(), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-4), torch.randn(16, 20), torch.randint(5, (16,)), out)
train("cnn", cnn(), lambda p: torch.optim.Adam(p, lr=0.01), torch.randn(8, 1, 12, 12), torch.randint(10, (8,)), out)
train("transformer", Block(), lambda p: torch.optim.AdamW(p, lr=0.01), torch.randint(17, (4, 12)), torch.randint(17, (4, 12)), out)
save(out, sys.argv[1])
for n in ("mlp", "cnn", "transformer"):
    print(n, [round(float(v), 4) for v in out[n + ".losses"]])
