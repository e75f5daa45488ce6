#!/usr/bin/python3
"""Records what PyTorch's layers, initialisers, optimizers and schedules do: /usr/bin/python3 record.py > nn.txt

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


layers()
initialisers()
optimizers()
schedules()
