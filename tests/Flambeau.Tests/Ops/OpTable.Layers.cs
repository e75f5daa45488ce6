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
        new("layer_norm", "nn.functional.layer_norm", a => functional.layer_norm(a.T(0), a.Ls(1)!, a.TN(2, "weight"), a.TN(3, "bias"), a.D(4, "eps", 1e-5)))
            { Tolerance = 1e-4, Only = a => a.T(0).numel() > 0, Why = "an empty batch leaves the gradients of weight and bias null; a single element is all rounding in PyTorch, which subtracts mean times rstd; here it is exactly the bias" },
        new("group_norm", "nn.functional.group_norm", a => functional.group_norm(a.T(0), a.L(1), a.TN(2, "weight"), a.TN(3, "bias"), a.D(4, "eps", 1e-5))) { Only = a => a.T(0).numel() > 0, Why = "an empty batch leaves the gradients of weight and bias null" },
        new("batch_norm", "nn.functional.batch_norm", a => functional.batch_norm(a.T(0), Copy(a.TN(1, "running_mean")), Copy(a.TN(2, "running_var")), a.TN(3, "weight"), a.TN(4, "bias"), a.B(5, "training"), a.D(6, "momentum", 0.1), a.D(7, "eps", 1e-5)))
            { NoHalf = true, Only = a => a.T(0).rank > 1, Why = "mixed statistics are tested by the layer; one dimension has no channels" },
        new("instance_norm", "nn.functional.instance_norm", a => functional.instance_norm(a.T(0), Copy(a.TN(1, "running_mean")), Copy(a.TN(2, "running_var")), a.TN(3, "weight"), a.TN(4, "bias"), a.B(5, "use_input_stats", true), a.D(6, "momentum", 0.1), a.D(7, "eps", 1e-5)))
            { NoHalf = true, Why = "mixed statistics are tested by the layer" },
        new("local_response_norm", "nn.functional.local_response_norm", a => functional.local_response_norm(a.T(0), a.L(1), a.D(2, "alpha", 1e-4), a.D(3, "beta", 0.75), a.D(4, "k", 1))),
        new("embedding", "nn.functional.embedding", a => functional.embedding(a.T(1), a.T(0), a.LN(2, "padding_idx")))
            { Only = a => a.Raw(3, "max_norm") is null && !a.B(5, "scale_grad_by_freq"), Why = "max_norm and scale_grad_by_freq are not offered" },
        Plain("one_hot", a => functional.one_hot(a.T(0), a.L(1, "num_classes", -1)), "nn.functional.one_hot"),
        new("pixel_shuffle", "nn.functional.pixel_shuffle", a => functional.pixel_shuffle(a.T(0), a.L(1, "upscale_factor"))),
        new("pixel_unshuffle", "nn.functional.pixel_unshuffle", a => functional.pixel_unshuffle(a.T(0), a.L(1, "downscale_factor"))),
        new("pad", "nn.functional.pad.constant nn.functional.pad.reflect nn.functional.pad.replicate nn.functional.pad.circular", a => functional.pad(a.T(0), a.Ls(1, "pad")!, Mode(a), a.D(3, "value"))),
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
        new("mse_loss", "nn.functional.mse_loss", a => functional.mse_loss(a.T(0), a.T(1), Reduced(a))),
        new("l1_loss", "nn.functional.l1_loss", a => functional.l1_loss(a.T(0), a.T(1), Reduced(a))),
        new("smooth_l1_loss", "nn.functional.smooth_l1_loss", a => functional.smooth_l1_loss(a.T(0), a.T(1), Reduced(a), a.D(-1, "beta", 1))),
        new("huber_loss", "nn.functional.huber_loss", a => functional.huber_loss(a.T(0), a.T(1), a.D(-1, "delta", 1), Reduced(a))),
        new("binary_cross_entropy", "nn.functional.binary_cross_entropy", a => functional.binary_cross_entropy(a.T(0), a.T(1), a.TN(2, "weight"), Reduced(a)))
            { NoHalf = true, Why = "rounding puts probabilities onto 0 and 1" },
        new("binary_cross_entropy_with_logits", "nn.functional.binary_cross_entropy_with_logits", a => functional.binary_cross_entropy_with_logits(a.T(0), a.T(1), a.TN(2, "weight"), Reduced(a), a.TN(-1, "pos_weight"))),
        new("kl_div", "nn.functional.kl_div", a => functional.kl_div(a.T(0), a.T(1), a.B(-1, "log_target"), Reduced(a)))
            { Only = a => a.S(-1, "reduction", "mean") != "batchmean", Why = "batchmean is not in the Reduction enum" },
        new("poisson_nll_loss", "nn.functional.poisson_nll_loss", a => functional.poisson_nll_loss(a.T(0), a.T(1), a.B(2, "log_input", true), a.B(3, "full"), (float)a.D(5, "eps", 1e-8), Reduced(a))),
        new("gaussian_nll_loss", "nn.functional.gaussian_nll_loss", a => functional.gaussian_nll_loss(a.T(0), a.T(1), a.T(2), a.B(3, "full"), (float)a.D(4, "eps", 1e-6), Reduced(a))),
        new("hinge_embedding_loss", "nn.functional.hinge_embedding_loss", a => functional.hinge_embedding_loss(a.T(0), a.T(1), a.D(2, "margin", 1), Reduced(a))),
        new("margin_ranking_loss", "nn.functional.margin_ranking_loss", a => functional.margin_ranking_loss(a.T(0), a.T(1), a.T(2), a.D(3, "margin"), Reduced(a))),
        new("cosine_embedding_loss", "nn.functional.cosine_embedding_loss", a => functional.cosine_embedding_loss(a.T(0), a.T(1), a.T(2), a.D(3, "margin"), Reduced(a))),
        new("triplet_margin_loss", "nn.functional.triplet_margin_loss", a => functional.triplet_margin_loss(a.T(0), a.T(1), a.T(2), a.D(3, "margin", 1), a.L(4, "p", 2), a.D(5, "eps", 1e-6), a.B(6, "swap"), Reduced(a)))
            { Only = a => a.D(4, "p", 2) == Math.Floor(a.D(4, "p", 2)), Why = "p is a whole number, as in TorchSharp" },
        new("soft_margin_loss", "nn.functional.soft_margin_loss", a => functional.soft_margin_loss(a.T(0), a.T(1), Reduced(a))),
        new("multi_margin_loss", "nn.functional.multi_margin_loss", a => functional.multi_margin_loss(a.T(0), a.T(1), a.I(2, "p", 1), a.D(3, "margin", 1), a.TN(4, "weight"), Reduced(a))) { Only = a => a.T(0).rank > 0, Why = "a single score has no classes" },
        new("multilabel_soft_margin_loss", "nn.functional.multilabel_soft_margin_loss", a => functional.multilabel_soft_margin_loss(a.T(0), a.T(1), a.TN(2, "weight"), Reduced(a))),
    ];
}
