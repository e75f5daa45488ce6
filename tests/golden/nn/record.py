#!/usr/bin/python3
"""Records what PyTorch's layers, initialisers, optimizers and schedules do: /usr/bin/python3 record.py > nn.txt (in this folder)

Lines: a name, a colon, numbers. Layers and initialisers start at manual_seed(0); state dictionaries are written in their order.
"""
import math, warnings
import torch
from torch import nn

warnings.simplefilter("ignore")
torch.set_num_threads(1)


def put(name, values):
    if isinstance(values, torch.Tensor):
        values = values.detach().flatten().tolist()
    print(f"{name}: {' '.join(repr(float(v)) for v in values)}")


def layers():
    made = {
        "linear": lambda: nn.Linear(7, 5), "linear_nobias": lambda: nn.Linear(4, 3, bias=False), "bilinear": lambda: nn.Bilinear(3, 4, 2),
        "conv1d": lambda: nn.Conv1d(4, 6, 3, groups=2), "conv2d": lambda: nn.Conv2d(3, 4, (3, 2)), "conv3d": lambda: nn.Conv3d(2, 3, 2),
        "convt1d": lambda: nn.ConvTranspose1d(4, 6, 3, groups=2), "convt2d": lambda: nn.ConvTranspose2d(2, 3, (3, 2)),
        "convt3d": lambda: nn.ConvTranspose3d(2, 2, 2),
        "embedding": lambda: nn.Embedding(9, 4, padding_idx=2), "embedding_bag": lambda: nn.EmbeddingBag(5, 3),
        "batchnorm": lambda: nn.BatchNorm2d(3), "layernorm": lambda: nn.LayerNorm([2, 3]), "prelu": lambda: nn.PReLU(3),
        "nested": lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Sequential(nn.Linear(4, 4), nn.ReLU()), nn.Linear(4, 2)),
    }
    for name, make in made.items():
        torch.manual_seed(0)
        for key, value in make().state_dict().items():
            put(f"layer {name} {key}", value)


def initialisers():
    fills = {
        "uniform_": lambda t: nn.init.uniform_(t, -2, 3), "normal_": lambda t: nn.init.normal_(t, 1, 2),
        "constant_": lambda t: nn.init.constant_(t, 1.5), "xavier_uniform_": lambda t: nn.init.xavier_uniform_(t, 1.5),
        "xavier_normal_": lambda t: nn.init.xavier_normal_(t), "kaiming_uniform_": lambda t: nn.init.kaiming_uniform_(t, 0.2),
        "kaiming_normal_": lambda t: nn.init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu"),
        "trunc_normal_": lambda t: nn.init.trunc_normal_(t, 0.5, 2, -1, 1.5), "orthogonal_": lambda t: nn.init.orthogonal_(t, 2),
        "eye_": nn.init.eye_, "sparse_": lambda t: nn.init.sparse_(t, 0.4, 1),
    }
    for name, fill in fills.items():
        for shape in ((6, 4), (3, 8)):
            torch.manual_seed(0)
            put(f"init {name} {shape[0]}x{shape[1]}", fill(torch.empty(shape)))
    put("init dirac_", nn.init.dirac_(torch.empty(4, 2, 3, 3), 2))


class NAdam(torch.optim.Optimizer):
    """As in PyTorch 2: 1.13's own counts the momentum of the present step twice in the product of the next."""

    def __init__(self, p, lr, weight_decay):
        super().__init__(p, dict(lr=lr, wd=weight_decay))

    @torch.no_grad()
    def step(self):
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is None:
                    continue
                s = self.state[p]
                s["t"] = t = s.get("t", 0) + 1
                d = p.grad + g["wd"] * p
                mu, after = (0.9 * (1 - 0.5 * 0.96 ** (n * 4e-3)) for n in (t, t + 1))
                s["mu"] = s.get("mu", 1.0) * mu
                s["m"] = s.get("m", 0) * 0.9 + 0.1 * d
                s["v"] = s.get("v", 0) * 0.999 + 0.001 * d * d
                scale = (s["v"] / (1 - 0.999 ** t)).sqrt() + 1e-8
                p -= g["lr"] * (1 - mu) / (1 - s["mu"]) * d / scale + g["lr"] * after / (1 - s["mu"] * after) * s["m"] / scale


def quadratic(p, a, b):
    """A loss with gradients of different sizes: sum over both of sin(a p) + (p - b)^2 / 2."""
    return sum((torch.sin(ai * pi) + (pi - bi) ** 2 / 2).sum() for pi, ai, bi in zip(p, a, b))


def problem():
    torch.manual_seed(1)
    shapes = [(3, 5), (7,)]
    p = [nn.Parameter(torch.randn(s)) for s in shapes]
    return p, [torch.randn(s) for s in shapes], [torch.randn(s) for s in shapes]


def optimizers():
    O = torch.optim
    made = {
        "sgd": lambda p: O.SGD(p, 0.1), "sgd_decay": lambda p: O.SGD(p, 0.1, weight_decay=0.05),
        "sgd_momentum": lambda p: O.SGD(p, 0.05, momentum=0.9, dampening=0.1), "sgd_nesterov": lambda p: O.SGD(p, 0.05, momentum=0.9, weight_decay=0.01, nesterov=True),
        "sgd_maximize": lambda p: O.SGD(p, 0.01, momentum=0.5, maximize=True),
        "adam": lambda p: O.Adam(p, 0.1), "adam_amsgrad": lambda p: O.Adam(p, 0.1, betas=(0.8, 0.9), eps=1e-6, weight_decay=0.1, amsgrad=True),
        "adam_maximize": lambda p: O.Adam(p, 0.01, maximize=True),
        "adamw": lambda p: O.AdamW(p, 0.1, weight_decay=0.2), "adamw_amsgrad": lambda p: O.AdamW(p, 0.1, weight_decay=0.0, amsgrad=True),
        "rmsprop": lambda p: O.RMSprop(p, 0.05), "rmsprop_full": lambda p: O.RMSprop(p, 0.02, alpha=0.9, weight_decay=0.1, momentum=0.8, centered=True),
        "adagrad": lambda p: O.Adagrad(p, 0.5, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.2), "adadelta": lambda p: O.Adadelta(p, 2.0, rho=0.8, weight_decay=0.1),
        "adamax": lambda p: O.Adamax(p, 0.1, weight_decay=0.1), "nadam": lambda p: NAdam(p, 0.1, weight_decay=0.1), "radam": lambda p: O.RAdam(p, 0.1, weight_decay=0.1),
        "asgd": lambda p: O.ASGD(p, 0.1, t0=5, weight_decay=0.1), "rprop": lambda p: O.Rprop(p, 0.05),
    }
    p, a, b = problem()
    for i in range(2):
        put(f"problem p{i}", p[i]), put(f"problem a{i}", a[i]), put(f"problem b{i}", b[i])
    for name, make in made.items():
        p, a, b = problem()
        opt = make(p)
        for step in range(12):
            opt.zero_grad()
            loss = quadratic(p, a, b)
            loss.backward()
            if step == 4:
                p[1].grad = None  # a parameter may sit out a step
            opt.step()
        for i in range(2):
            put(f"optim {name} p{i}", p[i])


def schedules():
    S = torch.optim.lr_scheduler
    chain = lambda o: S.ChainedScheduler([S.ConstantLR(o, 0.1, 4), S.ExponentialLR(o, 0.9)])
    sequence = lambda o: S.SequentialLR(o, [S.LinearLR(o, 0.1, 1.0, 8), S.StepLR(o, 5, 0.5), S.ExponentialLR(o, 0.9)], [8, 20])
    made = {
        "step": lambda o: S.StepLR(o, 7, 0.3), "multistep": lambda o: S.MultiStepLR(o, [3, 9, 9, 20], 0.5), "exponential": lambda o: S.ExponentialLR(o, 0.93),
        "constant": lambda o: S.ConstantLR(o, 0.25, 6), "linear": lambda o: S.LinearLR(o, 0.2, 0.9, 11), "polynomial": lambda o: S.PolynomialLR(o, 20, 1.7),
        "cosine": lambda o: S.CosineAnnealingLR(o, 8, 0.01), "lambda": lambda o: S.LambdaLR(o, lambda n: 1 / (1 + n)), "multiplicative": lambda o: S.MultiplicativeLR(o, lambda n: 0.9 + 0.005 * n),
        "restarts": lambda o: S.CosineAnnealingWarmRestarts(o, 4, 2, 0.02), "onecycle": lambda o: S.OneCycleLR(o, 0.8, 30), "onecycle_linear": lambda o: S.OneCycleLR(o, 0.8, 30, anneal_strategy="linear", three_phase=True),
        "cyclic": lambda o: S.CyclicLR(o, 0.1, 0.7, 4, 6), "cyclic2": lambda o: S.CyclicLR(o, 0.1, 0.7, 4, mode="triangular2"), "cyclic_exp": lambda o: S.CyclicLR(o, 0.1, 0.7, 5, mode="exp_range", gamma=0.95),
        "chained": chain, "sequential": sequence,
    }
    for name, make in made.items():
        opt = torch.optim.SGD([{"params": [nn.Parameter(torch.zeros(1))]}, {"params": [nn.Parameter(torch.zeros(1))], "lr": 0.2}], 0.5, momentum=0.9)
        schedule = make(opt)
        rates, momenta = [], []
        for _ in range(30):
            rates += [g["lr"] for g in opt.param_groups]
            momenta.append(opt.param_groups[0]["momentum"])
            opt.step()
            if _ < 29:
                schedule.step()
        put(f"schedule {name}", rates)
        if name in ("onecycle", "onecycle_linear", "cyclic"):
            put(f"momentum {name}", momenta)
    opt = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.5)
    plateau = S.ReduceLROnPlateau(opt, factor=0.5, patience=2, cooldown=2, min_lr=0.05)
    losses = [1 + math.sin(3 * n) / (1 + n) for n in range(30)]
    rates = []
    for loss in losses:
        plateau.step(loss)
        rates.append(opt.param_groups[0]["lr"])
    put("plateau losses", losses)
    put("schedule plateau", rates)


def wave(*shape):
    """sin(1), sin(2), ...: an input that both sides can write down."""
    return torch.sin(torch.arange(1.0, 1 + math.prod(shape), dtype=torch.float64)).reshape(shape).float()


def forwards():
    """Layers made at manual_seed(0) and what they make of a wave; the text of the layer goes to reprs.txt."""
    f = {
        "Linear": (lambda: nn.Linear(5, 3), (2, 4, 5)), "Linear nobias": (lambda: nn.Linear(5, 3, bias=False), (5,)), "Identity": (lambda: nn.Identity(), (3,)),
        "Conv1d": (lambda: nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2), (2, 4, 9)), "Conv1d same": (lambda: nn.Conv1d(2, 3, 4, padding="same"), (2, 2, 7)),
        "Conv2d": (lambda: nn.Conv2d(2, 3, 3), (2, 2, 5, 6)), "Conv2d tuple": (lambda: nn.Conv2d(2, 3, (3, 2), stride=(1, 2), padding=(2, 1), bias=False), (2, 5, 6)),
        "Conv2d same": (lambda: nn.Conv2d(2, 2, (2, 3), padding="same", dilation=(1, 2)), (1, 2, 5, 6)), "Conv2d valid": (lambda: nn.Conv2d(2, 2, 3, padding="valid"), (1, 2, 5, 6)),
        "Conv2d reflect": (lambda: nn.Conv2d(2, 2, 3, padding=(1, 2), padding_mode="reflect"), (1, 2, 5, 6)), "Conv2d replicate": (lambda: nn.Conv2d(2, 2, 3, padding=1, padding_mode="replicate"), (1, 2, 5, 6)),
        "Conv2d circular": (lambda: nn.Conv2d(2, 2, 3, padding=(2, 1), padding_mode="circular"), (1, 2, 5, 6)), "Conv3d": (lambda: nn.Conv3d(2, 2, 2, padding=1), (1, 2, 3, 3, 4)),
        "ConvTranspose1d": (lambda: nn.ConvTranspose1d(4, 4, 3, stride=2, padding=1, output_padding=1, groups=2), (2, 4, 5)),
        "ConvTranspose2d": (lambda: nn.ConvTranspose2d(2, 3, (3, 2), stride=2, dilation=(1, 2)), (1, 2, 3, 4)), "ConvTranspose3d": (lambda: nn.ConvTranspose3d(1, 2, 2, stride=2), (1, 1, 2, 2, 2)),
        "BatchNorm1d": (lambda: nn.BatchNorm1d(3), (4, 3)), "BatchNorm2d": (lambda: nn.BatchNorm2d(3, eps=1e-3, momentum=0.2), (2, 3, 2, 2)),
        "BatchNorm3d": (lambda: nn.BatchNorm3d(2, affine=False), (2, 2, 2, 2, 2)), "BatchNorm1d untracked": (lambda: nn.BatchNorm1d(3, track_running_stats=False), (4, 3, 2)),
        "BatchNorm1d cumulative": (lambda: nn.BatchNorm1d(3, momentum=None), (4, 3)), "BatchNorm1d eval": (lambda: nn.BatchNorm1d(3).eval(), (4, 3)),
        "InstanceNorm1d": (lambda: nn.InstanceNorm1d(3), (2, 3, 4)), "InstanceNorm2d": (lambda: nn.InstanceNorm2d(3, affine=True, track_running_stats=True), (2, 3, 2, 3)),
        "InstanceNorm2d single": (lambda: nn.InstanceNorm2d(3), (3, 2, 3)), "InstanceNorm3d": (lambda: nn.InstanceNorm3d(2), (2, 2, 2, 2, 2)),
        "LayerNorm": (lambda: nn.LayerNorm([2, 3]), (4, 2, 3)), "LayerNorm plain": (lambda: nn.LayerNorm(3, eps=1e-3, elementwise_affine=False), (4, 3)),
        "GroupNorm": (lambda: nn.GroupNorm(2, 4), (2, 4, 3)), "LocalResponseNorm": (lambda: nn.LocalResponseNorm(2, alpha=0.1), (2, 4, 3, 3)),
        "MaxPool1d": (lambda: nn.MaxPool1d(3, stride=2, padding=1), (2, 2, 8)), "MaxPool2d": (lambda: nn.MaxPool2d(2), (1, 2, 5, 6)), "MaxPool2d tuple": (lambda: nn.MaxPool2d((3, 2), (1, 2), (1, 0), ceil_mode=True), (1, 2, 5, 5)),
        "MaxPool3d": (lambda: nn.MaxPool3d(2), (1, 1, 4, 4, 4)), "AvgPool1d": (lambda: nn.AvgPool1d(3, stride=2, padding=1), (2, 2, 8)), "AvgPool2d": (lambda: nn.AvgPool2d(2, padding=1, count_include_pad=False), (1, 2, 5, 6)),
        "AvgPool3d": (lambda: nn.AvgPool3d(2), (1, 1, 4, 4, 4)), "LPPool1d": (lambda: nn.LPPool1d(2, 3), (2, 2, 8)), "LPPool2d": (lambda: nn.LPPool2d(2, 2), (1, 2, 4, 6)),
        "AdaptiveAvgPool1d": (lambda: nn.AdaptiveAvgPool1d(3), (1, 2, 7)), "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d((2, 3)), (1, 2, 5, 7)), "AdaptiveAvgPool3d": (lambda: nn.AdaptiveAvgPool3d(2), (1, 1, 3, 4, 5)),
        "AdaptiveMaxPool1d": (lambda: nn.AdaptiveMaxPool1d(3), (1, 2, 7)), "AdaptiveMaxPool2d": (lambda: nn.AdaptiveMaxPool2d((2, 3)), (1, 2, 5, 7)), "AdaptiveMaxPool3d": (lambda: nn.AdaptiveMaxPool3d(2), (1, 1, 3, 4, 5)),
        "Flatten": (lambda: nn.Flatten(), (2, 3, 4)), "Unflatten": (lambda: nn.Unflatten(1, (2, 3)), (2, 6)), "PixelShuffle": (lambda: nn.PixelShuffle(2), (1, 4, 2, 2)), "PixelUnshuffle": (lambda: nn.PixelUnshuffle(2), (1, 1, 4, 4)),
        "ChannelShuffle": (lambda: nn.ChannelShuffle(2), (1, 4, 2, 2)), "Upsample": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), (1, 1, 3, 3)), "Unfold": (lambda: nn.Unfold(2), (1, 2, 3, 3)), "Fold": (lambda: nn.Fold(3, 2), (1, 8, 4)),
        "ConstantPad1d": (lambda: nn.ConstantPad1d((1, 2), 3.5), (2, 3)), "ConstantPad2d": (lambda: nn.ConstantPad2d(1, 2), (1, 2, 2)), "ConstantPad3d": (lambda: nn.ConstantPad3d((1, 0, 0, 1, 1, 1), 0.5), (1, 2, 2, 2)),
        "ReflectionPad1d": (lambda: nn.ReflectionPad1d(2), (1, 2, 4)), "ReflectionPad2d": (lambda: nn.ReflectionPad2d((1, 2, 0, 1)), (1, 1, 3, 4)), "ReplicationPad2d": (lambda: nn.ReplicationPad2d(2), (1, 1, 2, 3)),
        "ReplicationPad3d": (lambda: nn.ReplicationPad3d((1, 2, 0, 1, 1, 0)), (1, 1, 2, 2, 2)), "ZeroPad2d": (lambda: nn.ZeroPad2d((1, 2, 0, 1)), (1, 2, 2)),
        "ReLU": (lambda: nn.ReLU(), (7,)), "ReLU6": (lambda: nn.ReLU6(), (7,)), "LeakyReLU": (lambda: nn.LeakyReLU(0.2), (7,)), "RReLU": (lambda: nn.RReLU().eval(), (7,)), "ELU": (lambda: nn.ELU(), (7,)), "CELU": (lambda: nn.CELU(0.5), (7,)),
        "SELU": (lambda: nn.SELU(), (7,)), "SiLU": (lambda: nn.SiLU(), (7,)), "Mish": (lambda: nn.Mish(), (7,)), "Sigmoid": (lambda: nn.Sigmoid(), (7,)), "Tanh": (lambda: nn.Tanh(), (7,)), "Hardtanh": (lambda: nn.Hardtanh(-0.5, 0.25), (7,)),
        "Hardsigmoid": (lambda: nn.Hardsigmoid(), (7,)), "Hardswish": (lambda: nn.Hardswish(), (7,)), "Hardshrink": (lambda: nn.Hardshrink(), (7,)), "Softshrink": (lambda: nn.Softshrink(), (7,)), "Softplus": (lambda: nn.Softplus(), (7,)),
        "Softsign": (lambda: nn.Softsign(), (7,)), "Tanhshrink": (lambda: nn.Tanhshrink(), (7,)), "LogSigmoid": (lambda: nn.LogSigmoid(), (7,)), "Threshold": (lambda: nn.Threshold(0.1, 20), (7,)), "GLU": (lambda: nn.GLU(), (2, 4)),
        "GELU": (lambda: nn.GELU(), (7,)), "GELU tanh": (lambda: nn.GELU("tanh"), (7,)), "PReLU": (lambda: nn.PReLU(3), (2, 3)), "Softmax": (lambda: nn.Softmax(1), (2, 4)), "LogSoftmax": (lambda: nn.LogSoftmax(1), (2, 4)),
        "Softmin": (lambda: nn.Softmin(1), (2, 4)), "Softmax2d": (lambda: nn.Softmax2d(), (1, 3, 2, 2)), "Dropout": (lambda: nn.Dropout(0.3).eval(), (7,)), "Dropout2d": (lambda: nn.Dropout2d().eval(), (1, 2, 2, 2)),
    }
    reprs = []
    for name, (make, shape) in f.items():
        torch.manual_seed(0)
        layer = make()
        put(f"forward {name} {'x'.join(map(str, shape))}", layer(wave(*shape)))
        for key, b in layer.named_buffers():
            put(f"after {name} {key}", b)
        reprs.append(f"{name}: {layer}")
    torch.manual_seed(0)
    put("forward transpose to size", nn.ConvTranspose2d(1, 1, 3, stride=2)(wave(1, 1, 2, 3), output_size=(6, 8)))
    reprs.append(f"Embedding: {nn.Embedding(9, 4, padding_idx=2)}")
    reprs.append(f"Bilinear: {nn.Bilinear(3, 4, 2)}")
    open("reprs.txt", "w").write("\n".join(reprs) + "\n")


def losses():
    x, y = wave(4, 3), torch.cos(wave(4, 3) * 3)
    p, q, ones = torch.sigmoid(x), torch.sigmoid(y), torch.sign(y)
    classes = torch.tensor([2, 0, 1, 2])
    w = torch.tensor([0.5, 1.0, 2.0])
    made = {
        "CrossEntropyLoss": lambda r: nn.CrossEntropyLoss(w, ignore_index=1, reduction=r, label_smoothing=0.1)(x, classes), "NLLLoss": lambda r: nn.NLLLoss(w, reduction=r)(x, classes),
        "MSELoss": lambda r: nn.MSELoss(reduction=r)(x, y), "L1Loss": lambda r: nn.L1Loss(reduction=r)(x, y), "SmoothL1Loss": lambda r: nn.SmoothL1Loss(reduction=r, beta=0.5)(x, y),
        "HuberLoss": lambda r: nn.HuberLoss(reduction=r, delta=0.7)(x, y), "BCELoss": lambda r: nn.BCELoss(w, reduction=r)(p, q), "BCEWithLogitsLoss": lambda r: nn.BCEWithLogitsLoss(w, reduction=r, pos_weight=w)(x, q),
        "KLDivLoss": lambda r: nn.KLDivLoss(reduction=r, log_target=True)(p.log(), q.log()), "PoissonNLLLoss": lambda r: nn.PoissonNLLLoss(full=True, reduction=r)(x, q * 3),
        "GaussianNLLLoss": lambda r: nn.GaussianNLLLoss(full=True, eps=1e-6, reduction=r)(x, y, q), "SoftMarginLoss": lambda r: nn.SoftMarginLoss(reduction=r)(x, ones), "HingeEmbeddingLoss": lambda r: nn.HingeEmbeddingLoss(reduction=r)(x, ones),
        "MultiLabelSoftMarginLoss": lambda r: nn.MultiLabelSoftMarginLoss(w, reduction=r)(x, q), "MultiMarginLoss": lambda r: nn.MultiMarginLoss(2, 0.8, w, reduction=r)(x, classes),
        "MultiLabelMarginLoss": lambda r: nn.MultiLabelMarginLoss(reduction=r)(x, torch.tensor([[2, 0, -1], [1, -1, -1], [-1, 0, 1], [0, 1, 2]])),
        "MarginRankingLoss": lambda r: nn.MarginRankingLoss(0.3, reduction=r)(x, y, ones), "CosineEmbeddingLoss": lambda r: nn.CosineEmbeddingLoss(0.1, reduction=r)(x, y, torch.tensor([1, -1, 1, -1])),
        "TripletMarginLoss": lambda r: nn.TripletMarginLoss(swap=True, reduction=r)(x, y, p), "TripletMarginWithDistanceLoss": lambda r: nn.TripletMarginWithDistanceLoss(reduction=r)(x, y, p),
        "CTCLoss": lambda r: nn.CTCLoss(reduction=r)(wave(6, 3, 4).log_softmax(-1), torch.tensor([[1, 2, 2], [3, 1, 0], [1, 0, 0]]), torch.tensor([6, 4, 2]), torch.tensor([3, 2, 0])),
    }
    for name, loss in made.items():
        for r in ("none", "mean", "sum"):
            put(f"loss {name} {r}", loss(r))
    logits = wave(6, 3, 4).requires_grad_()
    nn.CTCLoss()(logits.log_softmax(-1), torch.tensor([[1, 2, 2], [3, 1, 0], [1, 0, 0]]), torch.tensor([6, 4, 2]), torch.tensor([3, 2, 0])).backward()
    put("loss CTCLoss grad", logits.grad)


layers()
forwards()
losses()
initialisers()
optimizers()
schedules()
