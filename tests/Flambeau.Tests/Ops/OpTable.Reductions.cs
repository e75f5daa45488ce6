using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

internal static partial class OpTable
{
    private static IEnumerable<OpRow> Reductions =>
    [
        new("sum", "sum", a => a.T(0).sum(a.Ls(1, "dim") ?? [], a.B(2, "keepdim"), a.Dtype(3))),
        new("mean", "mean", a => a.T(0).mean(a.Ls(1, "dim") ?? [], a.B(2, "keepdim"), a.Dtype(3))),
        new("prod", "prod", a => a.Has(1, "dim") ? a.T(0).prod(a.L(1, "dim"), a.B(2, "keepdim"), a.Dtype(3)) : a.T(0).prod(a.Dtype(3))),
        new("amax", "amax", a => a.T(0).amax(a.Ls(1, "dim") ?? [], a.B(2, "keepdim"))),
        new("amin", "amin", a => a.T(0).amin(a.Ls(1, "dim") ?? [], a.B(2, "keepdim"))),
        new("max", "max.reduction_with_dim max.reduction_no_dim", a => a.Has(1, "dim") ? a.T(0).max(a.L(1, "dim"), a.B(2, "keepdim")) : a.T(0).max()),
        new("min", "min.reduction_with_dim min.reduction_no_dim", a => a.Has(1, "dim") ? a.T(0).min(a.L(1, "dim"), a.B(2, "keepdim")) : a.T(0).min()),
        Plain("argmax", a => a.Raw(1, "dim") is null ? (a.B(2, "keepdim") ? a.T(0).argmax().reshape([.. Enumerable.Repeat(1L, a.T(0).rank)]) : a.T(0).argmax()) : a.T(0).argmax(a.L(1, "dim"), a.B(2, "keepdim"))),
        Plain("argmin", a => a.Raw(1, "dim") is null ? (a.B(2, "keepdim") ? a.T(0).argmin().reshape([.. Enumerable.Repeat(1L, a.T(0).rank)]) : a.T(0).argmin()) : a.T(0).argmin(a.L(1, "dim"), a.B(2, "keepdim"))),
        Plain("any", a => a.Raw(1, "dim") is null ? a.T(0).any() : a.T(0).any(a.L(1, "dim"), a.B(2, "keepdim"))),
        Plain("all", a => a.Raw(1, "dim") is null ? a.T(0).all() : a.T(0).all(a.L(1, "dim"), a.B(2, "keepdim"))),
        Plain("count_nonzero", a => a.T(0).count_nonzero(a.Ls(1, "dim"))),
        new("logsumexp", "logsumexp", a => a.T(0).logsumexp(a.Ls(1, "dim")!, a.B(2, "keepdim"))),
        new("aminmax", "aminmax", a => a.T(0).aminmax(a.LN(1, "dim"), a.B(2, "keepdim"))) { Only = a => a.T(0).rank > 0, Why = "PyTorch 1.13 gives a 0-dim input a dimension here" },
        new("cumsum", "cumsum", a => a.T(0).cumsum(a.L(1, "dim"), a.Dtype(2))) { Also = "cumsum_" },
        new("cumprod", "cumprod", a => a.T(0).cumprod(a.L(1, "dim"), a.Dtype(2))) { Also = "cumprod_" },
        new("logcumsumexp", "logcumsumexp", a => a.T(0).logcumsumexp(a.L(1, "dim"))),
        new("cummax", "cummax", a => a.T(0).cummax(a.L(1, "dim"))),
        new("cummin", "cummin", a => a.T(0).cummin(a.L(1, "dim"))),
        new("cosine_similarity", "nn.functional.cosine_similarity", a => functional.cosine_similarity(a.T(0), a.T(1), a.L(2, "dim", 1), a.D(3, "eps", 1e-8))),
        new("pairwise_distance", "nn.functional.pairwise_distance", a => functional.pairwise_distance(a.T(0), a.T(1), a.D(2, "p", 2), a.D(3, "eps", 1e-6), a.B(4, "keepdim"))),
        new("var", "var", a => a.T(0).var(a.Ls(1, "dim") ?? [], Correction(a), a.B(3, "keepdim"))) { Only = NotLopsided, Why = "a divisor of 0 gives NaN of either sign; the form unbiased-only is the form over all dimensions" },
        new("std", "std", a => a.T(0).std(a.Ls(1, "dim") ?? [], Correction(a), a.B(3, "keepdim"))) { Only = NotLopsided, Why = "a divisor of 0 gives NaN of either sign; the form unbiased-only is the form over all dimensions" },
        new("var_mean", "var_mean", a => a.T(0).var_mean(a.Ls(1, "dim") ?? [], Correction(a), a.B(3, "keepdim"))) { Only = NotLopsided, Why = "a divisor of 0 gives NaN of either sign; the form unbiased-only is the form over all dimensions" },
        new("std_mean", "std_mean", a => a.T(0).std_mean(a.Ls(1, "dim") ?? [], Correction(a), a.B(3, "keepdim"))) { Only = NotLopsided, Why = "a divisor of 0 gives NaN of either sign; the form unbiased-only is the form over all dimensions" },
        new("norm", "norm norm.inf", a => a.Ls(2, "dim") is { } dims ? a.T(0).norm(dims, a.B(3, "keepdim"), (float)a.D(1, "p", 2)) : a.T(0).norm((float)a.D(1, "p", 2)))
            { Only = a => a.Raw(1, "p") is not string && a.D(1, "p", 2) != 0, Why = "'fro' and 'nuc' belong to linalg; p = 0 counts and has no gradient" },
        new("nansum", "nansum", a => a.T(0).nansum()) { Only = a => a.Raw(1, "dim") is null, Why = "over everything, as in TorchSharp" },
        new("nanmean", "nanmean", a => a.T(0).nanmean((int?)a.LN(1, "dim"), a.B(2, "keepdim"), a.Dtype(3))) { Only = a => a.Raw(1, "dim") is null or long, Why = "one dimension or all, as in TorchSharp" },
        new("diff", "diff", a => a.T(0).diff(a.L(1, "n", 1), a.L(2, "dim", -1), a.TN(3, "prepend"), a.TN(4, "append"))) { Only = a => a.L(1, "n", 1) > 0, Why = "PyTorch ignores prepend and append for n = 0" },
        One("trace", x => x.trace()),
        new("dist", "dist", a => a.T(0).dist(a.T(1), (float)a.D(2, "p", 2))),
        new("cdist", "cdist", a => torch.cdist(a.T(0), a.T(1), a.D(2, "p", 2))) { Only = a => a.D(2, "p", 2) != 0, Why = "p = 0 counts and has no gradient" },
        new("normalize", "nn.functional.normalize", a => functional.normalize(a.T(0), a.D(1, "p", 2), a.L(2, "dim", 1), a.D(3, "eps", 1e-12))),
    ];

    private static long Correction(Args a) => a.Has(-1, "correction") ? a.L(-1, "correction", 1) : a.B(2, "unbiased", true) ? 1 : 0;

    private static bool NotLopsided(Args a) => a.T(0).numel() > 1 && a.Raw(1) is not bool;

    private static IEnumerable<OpRow> Products =>
    [
        new("mm", "mm", a => a.T(0).mm(a.T(1))),
        new("bmm", "bmm", a => a.T(0).bmm(a.T(1))),
        new("matmul", "matmul", a => a.T(0).matmul(a.T(1))),
        new("mv", "mv", a => a.T(0).mv(a.T(1))),
        new("dot", "dot", a => a.T(0).dot(a.T(1))) { Also = "vdot" },
        new("outer", "outer", a => a.T(0).outer(a.T(1))) { Also = "ger" },
        new("kron", "kron", a => a.T(0).kron(a.T(1))),
        new("linear", "nn.functional.linear", a => functional.linear(a.T(0), a.T(1), a.TN(2, "bias"))),
        new("inner", "inner", a => a.T(0).inner(a.T(1))),
        new("addmm", "addmm", a => a.T(0).addmm(a.T(1), a.T(2), a.D(3, "beta", 1), a.D(4, "alpha", 1))) { Also = "addmm_" },
        new("addmv", "addmv", a => a.T(0).addmv(a.T(1), a.T(2), a.D(3, "beta", 1), a.D(4, "alpha", 1))) { Also = "addmv_" },
        new("addbmm", "addbmm", a => a.T(0).addbmm(a.T(1), a.T(2), a.D(3, "beta", 1), a.D(4, "alpha", 1))) { Also = "addbmm_", NoHalf = true, Why = "each product is rounded before the batch is summed" },
        new("baddbmm", "baddbmm", a => a.T(0).baddbmm(a.T(1), a.T(2), a.D(3, "beta", 1), a.D(4, "alpha", 1))) { Also = "baddbmm_" },
        new("addr", "addr", a => a.T(0).addr(a.T(1), a.T(2), a.D(3, "beta", 1), a.D(4, "alpha", 1))) { Also = "addr_" },
        new("einsum", "einsum", a => torch.einsum(a.S(1), a.Ts(0))),
        new("tensordot", "tensordot", a => a.Raw(2, "dims") is List<object?> dims
            ? torch.tensordot(a.T(0), a.T(1), Longs(dims[0]), Longs(dims[1]))
            : torch.tensordot(a.T(0), a.T(1), a.L(2, "dims", 2))),
        new("bilinear", "nn.functional.bilinear", a => functional.bilinear(a.T(0), a.T(1), a.T(2), a.TN(3, "bias"))),
    ];

    private static long[] Longs(object? list) => [.. ((List<object?>)list!).Select(v => (long)v!)];
}
