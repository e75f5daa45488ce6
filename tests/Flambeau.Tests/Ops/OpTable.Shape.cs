using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

internal static partial class OpTable
{
    private static IEnumerable<OpRow> Views =>
    [
        new("view", "view", a => a.T(0).view([.. a.Ls(1)!])) { Also = "view_as", NoLayouts = true, Why = "a view asks for a layout" },
        new("reshape", "reshape", a => a.T(0).reshape([.. a.Ls(1)!])) { Also = "reshape_as" },
        new("permute", "permute", a => a.T(0).permute([.. a.Ls(1)!])),
        new("transpose", "transpose", a => a.T(0).transpose(a.L(1), a.L(2))) { Also = "swapaxes swapdims transpose_" },
        new("expand", "expand", a => a.T(0).expand([.. a.Ls(1)!])) { Also = "expand_as broadcast_to" },
        new("unsqueeze", "unsqueeze", a => a.T(0).unsqueeze(a.L(1))) { Also = "unsqueeze_" },
        new("squeeze", "squeeze", a => a.T(0).squeeze(a.LN(1))) { Also = "squeeze_" },
        new("flatten", "flatten", a => a.T(0).flatten(a.L(1, "start_dim"), a.L(2, "end_dim", -1))),
        new("select", "select", a => a.T(0).select(a.L(1), a.L(2))),
        new("slice", "slice", a => a.T(0).slice(a.L(1, "dim"), a.L(2, "start"), a.L(3, "end", long.MaxValue), a.L(4, "step", 1))),
        new("narrow", "narrow", a => a.T(0).narrow(a.L(1), a.L(2), a.L(3))) { Only = a => a.Raw(2) is long, Why = "start as a tensor is not offered" },
        new("unfold", "unfold", a => a.T(0).unfold(a.L(1), a.L(2), a.L(3))),
        new("as_strided", "as_strided", a => a.T(0).as_strided(a.Ls(1)!, a.Ls(2)!, a.LN(3, "storage_offset"))) { NoLayouts = true, Why = "reads the memory of the input" },
        One("clone", x => x.clone()),
        One("contiguous", x => x.contiguous()),
        new("unbind", "unbind", a => a.T(0).unbind(a.L(1))),
        One("t", x => x.t(), also: "t_"),
        One("mT", x => x.mT, "mT"),
        new("unflatten", "unflatten", a => a.T(0).unflatten(a.L(1), [.. a.Ls(2)!])),
        One("ravel", x => x.ravel()),
        new("movedim", "movedim", a => a.T(0).movedim(a.Ls(1)!, a.Ls(2)!)) { Also = "moveaxis" },
        new("diagonal", "diagonal", a => a.T(0).diagonal(a.L(1, "offset"), a.L(2, "dim1"), a.L(3, "dim2", 1))),
        new("diag", "diag", a => a.T(0).diag(a.L(1))),
        new("diag_embed", "diag_embed", a => a.T(0).diag_embed(a.L(1, "offset"), a.L(2, "dim1", -2), a.L(3, "dim2", -1))),
        new("split", "split split.list_args split_with_sizes", a => a.Raw(1) is long n ? a.T(0).split(n, a.I(2, "dim")) : a.T(0).split(a.Ls(1)!, a.L(2, "dim"))),
        new("chunk", "chunk", a => a.T(0).chunk(a.L(1), a.L(2))),
        new("tensor_split", "tensor_split", a => a.Raw(1) is long n ? a.T(0).tensor_split(n, a.L(2)) : a.IsTensor(1) ? a.T(0).tensor_split(a.T(1), a.L(2)) : a.T(0).tensor_split(a.Ls(1)!, a.L(2))) { Also = "hsplit vsplit dsplit" },
    ];

    private static IEnumerable<OpRow> Joining =>
    [
        new("cat", "cat", a => torch.cat(a.Ts(0), a.L(1, "dim"))) { Also = "concat concatenate" },
        new("stack", "stack", a => torch.stack(a.Ts(0), a.L(1, "dim"))),
        new("hstack", "hstack", a => torch.hstack(a.Ts(0))),
        new("vstack", "vstack", a => torch.vstack(a.Ts(0))) { Also = "row_stack" },
        new("dstack", "dstack", a => torch.dstack(a.Ts(0))),
        new("column_stack", "column_stack", a => torch.column_stack(a.Ts(0))),
        new("atleast_1d", "atleast_1d", a => a.Raw(0) is List<object?> ? a.Ts(0).Select(x => torch.atleast_1d(x)).ToArray() : torch.atleast_1d(a.T(0))),
        new("atleast_2d", "atleast_2d", a => a.Raw(0) is List<object?> ? a.Ts(0).Select(x => torch.atleast_2d(x)).ToArray() : torch.atleast_2d(a.T(0))),
        new("atleast_3d", "atleast_3d", a => a.Raw(0) is List<object?> ? a.Ts(0).Select(x => torch.atleast_3d(x)).ToArray() : torch.atleast_3d(a.T(0))),
        new("flip", "flip", a => a.T(0).flip([.. a.Ls(1, "dims")!])),
        One("fliplr", x => x.fliplr()),
        One("flipud", x => x.flipud()),
        new("rot90", "rot90", a => a.T(0).rot90(a.L(1, "k", 1), a.Ls(2, "dims") is { } d ? (d[0], d[1]) : null)),
        new("roll", "roll", a => a.Has(2, "dims") ? a.T(0).roll(a.Ls(1)!, a.Ls(2)!) : a.T(0).roll(a.Ls(1)!)),
        new("repeat", "repeat", a => a.T(0).repeat([.. a.Ls(1)!])),
        new("tile", "tile", a => a.T(0).tile([.. a.Ls(1)!])),
        new("repeat_interleave", "repeat_interleave", a => a.IsTensor(1, "repeats") ? a.T(0).repeat_interleave(a.T(1, "repeats"), a.LN(2, "dim")) : a.T(0).repeat_interleave(a.L(1, "repeats"), a.LN(2, "dim"))),
        new("tril", "tril", a => a.T(0).tril(a.L(1))) { Also = "tril_" },
        new("triu", "triu", a => a.T(0).triu(a.L(1))) { Also = "triu_" },
        new("meshgrid", "meshgrid.list_of_tensors", a => torch.meshgrid(a.Ts(0), a.S(-1, "indexing", "ij"))),
        new("cartesian_prod", "cartesian_prod", a => torch.cartesian_prod([.. a.Raw(0) is Tensor ? a.Rest(0).Cast<Tensor>() : a.Ts(0)])),
        new("broadcast_tensors", "broadcast_tensors", a => torch.broadcast_tensors([a.T(0), .. a.Rest(1).Cast<Tensor>()])),
    ];

    private static IEnumerable<OpRow> Indexing =>
    [
        new("getitem", "__getitem__", a => a.T(0)[Indices(a.Raw(1))]) { Also = "index", Only = a => !(a.Raw(1) is List<object?> list && list.TrueForAll(v => v is long)), Why = "a list of numbers is an index by a tensor in Python" },
        new("index_put", "index_put", a => a.T(0).index_put([.. ((List<object?>)a.Raw(1)!).Cast<Tensor>()], a.T(2), a.B(3, "accumulate"))) { Also = "index_put_" },
        new("gather", "gather", a => a.T(0).gather(a.L(1), a.T(2))) { Only = a => a.T(2).dtype == int64, Why = "indices are int64" },
        new("scatter", "scatter", a => a.IsTensor(3) ? a.T(0).scatter(a.L(1), a.T(2), a.T(3)) : a.T(0).scatter(a.L(1), a.T(2), a.Number(3)))
            { Also = "scatter_", Only = a => !a.Has(-1, "reduce"), Why = "the reduce argument is deprecated" },
        new("scatter_add", "scatter_add", a => a.T(0).scatter_add(a.L(1), a.T(2), a.T(3))) { Also = "scatter_add_" },
        new("take_along_dim", "take_along_dim", a => a.LN(2, "dim") is { } d ? a.T(0).take_along_dim(a.T(1), d) : a.T(0).take_along_dim(a.T(1))),
        Plain("argwhere", a => a.T(0).argwhere()),
        new("index_select", "index_select", a => a.T(0).index_select(a.L(1), a.T(2))),
        new("index_add", "index_add", a => a.T(0).index_add(a.L(1), a.T(2), a.T(3), a.Number(4, "alpha", 1))) { Also = "index_add_" },
        new("index_copy", "index_copy", a => a.T(0).index_copy(a.L(1), a.T(2), a.T(3))) { Also = "index_copy_" },
        new("index_fill", "index_fill", a => a.T(0).index_fill(a.L(1), a.T(2), a.Number(3)))
            { Also = "index_fill_", Only = a => !a.IsTensor(3), Why = "the value as a tensor is not offered" },
        new("take", "take", a => a.T(0).take(a.T(1))),
        new("masked_fill", "masked_fill", a => a.IsTensor(2) ? a.T(0).masked_fill(a.T(1), a.T(2)) : a.T(0).masked_fill(a.T(1), a.Number(2))) { Also = "masked_fill_" },
        new("masked_select", "masked_select", a => a.T(0).masked_select(a.T(1))),
        new("masked_scatter", "masked_scatter", a => a.T(0).masked_scatter(a.T(1), a.T(2))) { Also = "masked_scatter_" },
        Plain("nonzero", a => a.T(0).nonzero()) with { Only = a => !a.B(-1, "as_tuple"), Why = "as_tuple is not offered" },
        new("sort", "sort", a => a.T(0).sort(a.L(1, "dim", -1), a.B(2, "descending"), a.B(3, "stable"))),
        Plain("argsort", a => a.T(0).argsort(a.L(1, "dim", -1), a.B(2, "descending"))),
        One("msort", x => x.msort()),
        new("topk", "topk", a => a.T(0).topk(a.I(1), a.I(2, "dim", -1), a.B(3, "largest", true), a.B(4, "sorted", true)))
            { NoLayouts = true, Why = "ties may come in any order" },
    ];

    private static TensorIndex[] Indices(object? index) => index is List<object?> list ? [.. list.Select(Single)] : [Single(index)];

    private static TensorIndex Single(object? index) => index switch
    {
        long n => TensorIndex.Single(n),
        bool b => TensorIndex.Bool(b),
        Tensor t => TensorIndex.Tensor(t),
        Slice s => TensorIndex.Slice(s.Start, s.Stop, s.Step),
        EllipsisMark => TensorIndex.Ellipsis,
        List<object?> list => TensorIndex.Tensor(torch.tensor([.. list.Select(v => Convert.ToInt64(v, System.Globalization.CultureInfo.InvariantCulture))])),
        _ => TensorIndex.None,
    };

    private static IEnumerable<OpRow> Creation =>
    [
        Plain("linspace", a => torch.linspace(a.D(0), a.D(1), a.L(2, "steps", 100), a.Dtype(-1))) with { NoLayouts = true, Why = "makes a tensor" },
        Plain("logspace", a => torch.logspace(a.D(0), a.D(1), a.L(2, "steps", 100), a.D(3, "base", 10), a.Dtype(-1))) with { Tolerance = 3e-5, Why = "powers of 50 magnify the rounding of the exponent" },
        Plain("eye", a => torch.eye(a.L(0), a.L(1, "m", a.L(0)), a.Dtype(-1))),
    ];
}
