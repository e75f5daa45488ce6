using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>One op: how to call it with the arguments of a recorded sample. Everything else is checked by OpTests, once for all rows.</summary>
/// <param name="Name">Public name; also what the coverage check looks for.</param>
/// <param name="Recorded">Ids of recorded ops, separated by blanks.</param>
/// <param name="Run">The call; returns a tensor, several tensors, or a value.</param>
internal sealed record OpRow(string Name, string Recorded, Func<Args, object?> Run)
{
    /// <summary>Other public names that this row reaches (aliases, long names).</summary>
    public string Also { get; init; } = "";

    /// <summary>Samples that the public signature cannot express; say why in <see cref="Why"/>.</summary>
    public Func<Args, bool>? Only { get; init; }

    /// <summary>Replaces the dtype's tolerance; give the reason in <see cref="Why"/>.</summary>
    public double? Tolerance { get; init; }

    /// <summary>No gradient is defined, or PyTorch defines none.</summary>
    public bool NoGradient { get; init; }

    /// <summary>The gradient is not smooth where the samples stand, or random: no finite differences.</summary>
    public bool NoFiniteDifferences { get; init; }

    /// <summary>The result depends on memory layout or randomness: no layout and half checks.</summary>
    public bool NoLayouts { get; init; }

    public bool NoHalf { get; init; }

    /// <summary>The reason for every exception above.</summary>
    public string Why { get; init; } = "";

    public override string ToString() => Name;

    internal IEnumerable<Sample> Samples => Recorded.Split(' ', StringSplitOptions.RemoveEmptyEntries).SelectMany(id => Golden.Read(id).Samples)
        .Where(s => Only is null || Only(s.Arguments()));

    internal bool Has(string dtype) => Recorded.Split(' ').All(id => Golden.Read(id).Dtypes.Contains(dtype));

    internal List<Tensor> Tensors(Args a) => [.. Sample.Tensors(Run(a))];
}
