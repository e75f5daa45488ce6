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
    ];
}
