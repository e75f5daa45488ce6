#!/usr/bin/python3
"""Records what PyTorch's attention, transformer and recurrent modules do: /usr/bin/python3 record_modules.py modules.safetensors

Per case: <case>.init.<key> the parameters at manual_seed(1) (with init=True), <case>.param.<key> those used, <case>.in.<i> inputs, <case>.out.<i>
outputs, <case>.cotangent.<i>, and the gradients <case>.din.<i> and <case>.dparam.<key>. ModuleParityTests.cs knows how each case is built.
"""
import json, struct, sys, warnings
import torch
from torch import nn

warnings.simplefilter("ignore")
torch.set_num_threads(1)
out = {}


def flat(x):
    if x is None:
        return []
    return [x] if isinstance(x, torch.Tensor) else [t for v in x for t in flat(v)]


def case(name, make, inputs, call=lambda m, *x: m(*x), init=False):
    torch.manual_seed(1)
    module = make()
    if init:
        for k, v in module.state_dict().items():
            out[f"{name}.init.{k}"] = v.clone()
    torch.manual_seed(len(out))
    for p in module.parameters():  # biases start at zero, norms at one: make every parameter matter
        p.data += 0.3 * torch.randn_like(p)
    for k, v in module.state_dict().items():
        out[f"{name}.param.{k}"] = v.clone()
    xs = [torch.randn(s).requires_grad_() for s in inputs]
    ys = flat(call(module, *xs))
    cotangents = [torch.randn_like(y) for y in ys]
    torch.autograd.backward(ys, cotangents)
    for i, x in enumerate(xs):
        out[f"{name}.in.{i}"], out[f"{name}.din.{i}"] = x.detach(), x.grad
    for i, (y, c) in enumerate(zip(ys, cotangents)):
        out[f"{name}.out.{i}"], out[f"{name}.cotangent.{i}"] = y.detach(), c
    for k, p in module.named_parameters():
        if p.grad is not None:
            out[f"{name}.dparam.{k}"] = p.grad


def causal(n):
    return torch.ones(n, n, dtype=torch.bool).triu(1)


def padding(n, s):
    """Sequence i of n ends i tokens early."""
    return torch.arange(s) >= s - torch.arange(n)[:, None]


def bias(*shape):
    """A float mask that both sides can write down."""
    return torch.sin(torch.arange(1.0, 1 + torch.Size(shape).numel())).reshape(shape)


def recurrent():
    sizes = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
    for name, cls in sizes.items():
        states = 2 if name == "lstm" else 1
        pack = (lambda h: tuple(h)) if name == "lstm" else (lambda h: h[0])
        case(name, lambda: cls(3, 5), [(4, 2, 3)], init=True)
        case(f"{name}_two", lambda: cls(3, 4, 2, bidirectional=True, batch_first=True), [(2, 3, 3)] + [(4, 2, 4)] * states,
             lambda m, x, *h: m(x, pack(h)), init=True)
        case(f"{name}_nobias", lambda: cls(2, 3, 1, bias=False), [(3, 2)] + [(1, 3)] * states, lambda m, x, *h: m(x, pack(h)))
        lengths = torch.tensor([2, 4, 1])
        case(f"{name}_packed", lambda: cls(2, 3, 1, bidirectional=True), [(4, 3, 2)], lambda m, x: [nn.utils.rnn.pad_packed_sequence(y)[0] if
             isinstance(y, nn.utils.rnn.PackedSequence) else y for y in m(nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False))])
    case("rnn_relu", lambda: nn.RNN(3, 5, nonlinearity="relu"), [(4, 2, 3)])
    case("rnncell", lambda: nn.RNNCell(3, 4), [(2, 3), (2, 4)], init=True)
    case("rnncell_relu", lambda: nn.RNNCell(3, 4, nonlinearity="relu"), [(2, 3), (2, 4)])
    case("lstmcell", lambda: nn.LSTMCell(3, 4), [(2, 3), (2, 4), (2, 4)], lambda m, x, h, c: m(x, (h, c)), init=True)
    case("lstmcell_nobias", lambda: nn.LSTMCell(3, 4, bias=False), [(3,)])
    case("grucell", lambda: nn.GRUCell(3, 4), [(2, 3), (2, 4)], init=True)
    case("grucell_nobias", lambda: nn.GRUCell(3, 4, bias=False), [(3,), (4,)])


def attention():
    A = nn.MultiheadAttention
    case("mha", lambda: A(8, 2), [(4, 3, 8)], lambda m, x: m(x, x, x), init=True)
    case("mha_fused", lambda: A(8, 2), [(4, 3, 8)], lambda m, x: m(x, x, x, need_weights=False)[0])
    case("mha_causal", lambda: A(8, 2, batch_first=True), [(3, 4, 8)], lambda m, x: m(x, x, x, need_weights=False, attn_mask=causal(4))[0])
    case("mha_cross", lambda: A(8, 2), [(4, 3, 8), (5, 3, 8)], lambda m, q, k: m(q, k, k, need_weights=False)[0])
    case("mha_three", lambda: A(8, 4, bias=False), [(4, 3, 8), (5, 3, 8), (5, 3, 8)], lambda m, q, k, v: m(q, k, v, average_attn_weights=False))
    case("mha_widths", lambda: A(8, 2, kdim=5, vdim=3, batch_first=True), [(2, 4, 8), (2, 3, 5), (2, 3, 3)], lambda m, q, k, v: m(q, k, v), init=True)
    case("mha_masks", lambda: A(8, 2), [(4, 3, 8), (5, 3, 8)], lambda m, q, k: m(q, k, k, key_padding_mask=padding(3, 5), attn_mask=bias(4, 5)))
    case("mha_padding", lambda: A(8, 2), [(4, 3, 8)], lambda m, x: m(x, x, x, key_padding_mask=padding(3, 4), need_weights=False, attn_mask=causal(4))[0])
    case("mha_heads", lambda: A(8, 2), [(4, 3, 8)], lambda m, x: m(x, x, x, attn_mask=bias(6, 4, 4)))
    case("mha_bias_kv", lambda: A(8, 2, add_bias_kv=True, add_zero_attn=True), [(4, 3, 8)],
         lambda m, x: m(x, x, x, key_padding_mask=padding(3, 4), attn_mask=causal(4)), init=True)
    case("mha_single", lambda: A(8, 2), [(4, 8)], lambda m, x: m(x, x, x))


def transformers():
    E, D = nn.TransformerEncoderLayer, nn.TransformerDecoderLayer
    case("encoder_layer", lambda: E(8, 2, 12, dropout=0.0), [(4, 3, 8)], init=True)
    case("encoder_layer_first", lambda: E(8, 2, 12, dropout=0.0, activation="gelu", batch_first=True, norm_first=True, layer_norm_eps=1e-3), [(3, 4, 8)],
         lambda m, x: m(x, src_mask=causal(4)))
    case("encoder_layer_masks", lambda: E(8, 2, 12, dropout=0.0), [(4, 3, 8)], lambda m, x: m(x, src_mask=bias(4, 4), src_key_padding_mask=padding(3, 4)))
    case("encoder", lambda: nn.TransformerEncoder(E(8, 2, 6, dropout=0.0), 2, nn.LayerNorm(8), enable_nested_tensor=False), [(4, 2, 8)],
         lambda m, x: m(x, mask=causal(4).float().masked_fill(causal(4), float("-inf"))), init=True)
    case("decoder_layer", lambda: D(8, 2, 12, dropout=0.0), [(4, 3, 8), (5, 3, 8)],
         lambda m, x, y: m(x, y, tgt_mask=causal(4), memory_key_padding_mask=padding(3, 5)), init=True)
    case("decoder_layer_first", lambda: D(8, 2, 12, dropout=0.0, activation="gelu", batch_first=True, norm_first=True), [(3, 4, 8), (3, 5, 8)],
         lambda m, x, y: m(x, y, memory_mask=bias(4, 5)))
    case("decoder", lambda: nn.TransformerDecoder(D(8, 2, 6, dropout=0.0), 2), [(4, 2, 8), (3, 2, 8)], lambda m, x, y: m(x, y, tgt_mask=causal(4)))
    case("transformer", lambda: nn.Transformer(8, 2, 1, 2, 6, dropout=0.0), [(4, 2, 8), (3, 2, 8)], lambda m, x, y: m(x, y, tgt_mask=causal(3)), init=True)


def save(tensors, path):
    head, blob = {}, b""
    for k, v in tensors.items():
        data = v.float().contiguous().numpy().tobytes()
        head[k] = {"dtype": "F32", "shape": list(v.shape), "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + blob)


recurrent()
attention()
transformers()
save(out, sys.argv[1])
print(len({k.split(".")[0] for k in out}), "cases,", len(out), "tensors")
