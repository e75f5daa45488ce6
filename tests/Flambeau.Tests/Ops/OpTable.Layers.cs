#pragma warning disable IDE0051 // used by rows of ops that land next
using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

internal static partial class OpTable
{
    private static IEnumerable<OpRow> Layers =>
    [
        new("conv1d", "nn.functional.conv1d", a => functional.conv1d(a.T(0), a.T(1), a.TN(2, "bias"), a.Spread(1, 3, "stride", 1)[0], a.Spread(1, 4, "padding", 0)[0], a.Spread(1, 5, "dilation", 1)[0], a.L(6, "groups", 1)))
            { Only = a => a.Raw(4, "padding") is not string, Why = "padding by name has a row of its own" },
        new("conv2d", "nn.functional.conv2d", a => functional.conv2d(a.T(0), a.T(1), a.TN(2, "bias"), a.Spread(2, 3, "stride", 1), a.Spread(2, 4, "padding", 0), a.Spread(2, 5, "dilation", 1), a.L(6, "groups", 1)))
            { Only = a => a.Raw(4, "padding") is not string, Why = "padding by name has a row of its own" },
        new("conv_transpose1d", "nn.functional.conv_transpose1d", a => functional.conv_transpose1d(a.T(0), a.T(1), a.TN(2, "bias"), a.Spread(1, 3, "stride", 1)[0], a.Spread(1, 4, "padding", 0)[0], a.Spread(1, 5, "output_padding", 0)[0], a.Spread(1, 7, "dilation", 1)[0], a.L(6, "groups", 1))),
        new("conv_transpose2d", "nn.functional.conv_transpose2d", a => functional.conv_transpose2d(a.T(0), a.T(1), a.TN(2, "bias"), a.Spread(2, 3, "stride", 1), a.Spread(2, 4, "padding", 0), a.Spread(2, 5, "output_padding", 0), a.Spread(2, 7, "dilation", 1), a.L(6, "groups", 1))),
        new("conv_transpose3d", "nn.functional.conv_transpose3d", a => functional.conv_transpose3d(a.T(0), a.T(1), a.TN(2, "bias"), a.Spread(3, 3, "stride", 1), a.Spread(3, 4, "padding", 0), a.Spread(3, 5, "output_padding", 0), a.Spread(3, 7, "dilation", 1), a.L(6, "groups", 1))) { Tolerance = 1e-4, Why = "PyTorch's own float32 gradient is 1e-4 from the float64 one" },
        new("max_pool1d", "nn.functional.max_pool1d", a => a.B(-1, "return_indices")
            ? functional.max_pool1d_with_indices(a.T(0), Kernel(a, 1)[0], Stride(a, 1)[0], a.Spread(1, 3, "padding", 0)[0], a.Spread(1, 4, "dilation", 1)[0], a.B(5, "ceil_mode"))
            : functional.max_pool1d(a.T(0), Kernel(a, 1)[0], Stride(a, 1)[0], a.Spread(1, 3, "padding", 0)[0], a.Spread(1, 4, "dilation", 1)[0], a.B(5, "ceil_mode"))) { Also = "max_pool1d_with_indices" },
        new("max_pool2d", "nn.functional.max_pool2d", a => a.B(-1, "return_indices")
            ? functional.max_pool2d_with_indices(a.T(0), Kernel(a, 2), Stride(a, 2), a.Spread(2, 3, "padding", 0), a.Spread(2, 4, "dilation", 1), a.B(5, "ceil_mode"))
            : functional.max_pool2d(a.T(0), Kernel(a, 2), Stride(a, 2), a.Spread(2, 3, "padding", 0), a.Spread(2, 4, "dilation", 1), a.B(5, "ceil_mode"))) { Also = "max_pool2d_with_indices" },
        new("max_pool3d", "nn.functional.max_pool3d", a => a.B(-1, "return_indices")
            ? functional.max_pool3d_with_indices(a.T(0), Kernel(a, 3), Stride(a, 3), a.Spread(3, 3, "padding", 0), a.Spread(3, 4, "dilation", 1), a.B(5, "ceil_mode"))
            : functional.max_pool3d(a.T(0), Kernel(a, 3), Stride(a, 3), a.Spread(3, 3, "padding", 0), a.Spread(3, 4, "dilation", 1), a.B(5, "ceil_mode"))) { Also = "max_pool3d_with_indices" },
        new("avg_pool1d", "nn.functional.avg_pool1d", a => functional.avg_pool1d(a.T(0), Kernel(a, 1)[0], Stride(a, 1)[0], a.Spread(1, 3, "padding", 0)[0], a.B(4, "ceil_mode"), a.B(5, "count_include_pad", true))),
        new("avg_pool2d", "nn.functional.avg_pool2d", a => functional.avg_pool2d(a.T(0), Kernel(a, 2), Stride(a, 2), a.Spread(2, 3, "padding", 0), a.B(4, "ceil_mode"), a.B(5, "count_include_pad", true), a.LN(6, "divisor_override"))),
        new("avg_pool3d", "nn.functional.avg_pool3d", a => functional.avg_pool3d(a.T(0), Kernel(a, 3), Stride(a, 3), a.Spread(3, 3, "padding", 0), a.B(4, "ceil_mode"), a.B(5, "count_include_pad", true), a.LN(6, "divisor_override"))),
        new("adaptive_avg_pool1d", "nn.functional.adaptive_avg_pool1d", a => functional.adaptive_avg_pool1d(a.T(0), Target(a, 1)[0])),
        new("adaptive_avg_pool2d", "nn.functional.adaptive_avg_pool2d", a => functional.adaptive_avg_pool2d(a.T(0), Target(a, 2))),
        new("adaptive_avg_pool3d", "nn.functional.adaptive_avg_pool3d", a => functional.adaptive_avg_pool3d(a.T(0), Target(a, 3))),
        new("adaptive_max_pool1d", "nn.functional.adaptive_max_pool1d", a => a.B(2, "return_indices") ? functional.adaptive_max_pool1d_with_indices(a.T(0), Target(a, 1)[0]) : functional.adaptive_max_pool1d(a.T(0), Target(a, 1)[0])) { Also = "adaptive_max_pool1d_with_indices" },
        new("adaptive_max_pool2d", "nn.functional.adaptive_max_pool2d", a => a.B(2, "return_indices") ? functional.adaptive_max_pool2d_with_indices(a.T(0), Target(a, 2)) : functional.adaptive_max_pool2d(a.T(0), Target(a, 2))) { Also = "adaptive_max_pool2d_with_indices" },
        new("adaptive_max_pool3d", "nn.functional.adaptive_max_pool3d", a => a.B(2, "return_indices") ? functional.adaptive_max_pool3d_with_indices(a.T(0), Target(a, 3)) : functional.adaptive_max_pool3d(a.T(0), Target(a, 3))) { Also = "adaptive_max_pool3d_with_indices" },
    ];

    private static long[] Kernel(Args a, int n) => a.Spread(n, 1, "kernel_size", 1);

    private static long[] Stride(Args a, int n) => a.Ls(2, "stride") is { Length: > 0 } ? a.Spread(n, 2, "stride", 1) : Kernel(a, n);

    private static Tensor? Copy(Tensor? x) => x?.detach().clone();

    // None keeps the size of that dimension.
    private static long[] Target(Args a, int n)
    {
        List<object?> wanted = a.Raw(1, "output_size") is List<object?> list ? list : [.. Enumerable.Repeat(a.Raw(1, "output_size"), n)];
        return [.. wanted.Select((v, i) => v is long size ? size : a.T(0).sizes[a.T(0).rank - n + i])];
    }

    private static PaddingModes Mode(Args a) => a.S(2, "mode", "constant") switch
    {
        "reflect" => PaddingModes.Reflect,
        "replicate" => PaddingModes.Replicate,
        "circular" => PaddingModes.Circular,
        _ => PaddingModes.Constant,
    };

    private static IEnumerable<OpRow> Losses =>
    [
        new("cross_entropy", "nn.functional.cross_entropy", a => functional.cross_entropy(a.T(0), a.T(1), a.TN(2, "weight"), a.L(4, "ignore_index", -100), Reduced(a), a.D(-1, "label_smoothing"))),
        new("nll_loss", "nn.functional.nll_loss", a => functional.nll_loss(a.T(0), a.T(1), a.TN(2, "weight"), a.L(4, "ignore_index", -100), Reduced(a))),
    ];
}
