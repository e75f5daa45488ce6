using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Every op of the library, one row each, by family in the files beside this one.</summary>
internal static partial class OpTable
{
    internal static readonly IReadOnlyList<OpRow> Rows =
    [
        .. Unary,
        .. Activations,
        .. Binary,
        .. Reductions,
        .. Products,
        .. Layers,
        .. Losses,
        .. Views,
        .. Joining,
        .. Indexing,
        .. Creation,
    ];

    private const string Discrete = "the result is discrete";

    /// <summary>An op of one tensor that carries the name of its recorded samples.</summary>
    private static OpRow One(string name, Func<Tensor, Tensor> f, string? recorded = null, string also = "") => new(name, recorded ?? name, a => f(a.T(0))) { Also = also };

    /// <summary>An op without gradient: predicates, integer ops.</summary>
    private static OpRow Plain(string name, Func<Args, object?> f, string? recorded = null, string also = "") =>
        new(name, recorded ?? name, f) { Also = also, NoGradient = true, NoFiniteDifferences = true, Why = Discrete };

    private static nn.Reduction Reduced(Args a) => a.S(-1, "reduction", "mean") switch
    {
        "none" => nn.Reduction.None,
        "sum" => nn.Reduction.Sum,
        _ => nn.Reduction.Mean,
    };
}
