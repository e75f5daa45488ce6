namespace Flambeau;

/// <summary>How tensors look as text. Default is PyTorch's repr.</summary>
public enum TensorStringStyle
{
    /// <summary>Shape, dtype and device only.</summary>
    Metadata = 0,
    Julia = 1,
    Numpy = 2,
    CSharp = 3,
    Default = 4,
}

public static partial class torch
{
    public const TensorStringStyle julia = TensorStringStyle.Julia;
    public const TensorStringStyle numpy = TensorStringStyle.Numpy;
    public const TensorStringStyle csharp = TensorStringStyle.CSharp;

    /// <summary>What str and print use unless told otherwise.</summary>
    public static TensorStringStyle TensorStringStyle { get; set; } = TensorStringStyle.Default;

    internal static PrintOptions printing = new();

    /// <summary>PyTorch's settings: digits after the point, elements above which the middle is left out, how many of it remain at each end, line width, and whether to write 1.0000e+00 (null: by the values).</summary>
    public static void set_printoptions(int? precision = null, int? threshold = null, int? edgeitems = null, int? linewidth = null, bool? sci_mode = null, string? newLine = null)
    {
        if (precision is < 0 or > 60) throw Error.Argument("set_printoptions", $"precision must lie in 0..60, not {precision}");
        if (edgeitems is < 1) throw Error.Argument("set_printoptions", $"edgeitems must be positive, not {edgeitems}");
        PrintOptions old = printing;
        printing = old with
        {
            Precision = precision ?? old.Precision,
            Threshold = threshold ?? old.Threshold,
            EdgeItems = edgeitems ?? old.EdgeItems,
            LineWidth = linewidth ?? old.LineWidth,
            SciMode = sci_mode,
            NewLine = newLine ?? old.NewLine,
        };
    }

    /// <summary>The settings of the other styles.</summary>
    /// <param name="floatFormat">A .NET number format: "g5", "F3".</param>
    public static void set_printoptions(TensorStringStyle style, string? floatFormat = null, int? linewidth = null, string? newLine = null)
    {
        TensorStringStyle = style;
        PrintOptions old = printing;
        printing = old with { FloatFormat = floatFormat ?? old.FloatFormat, StyleWidth = linewidth ?? old.StyleWidth, NewLine = newLine ?? old.NewLine };
    }

    internal sealed record PrintOptions
    {
        internal int Precision { get; init; } = 4;
        internal int Threshold { get; init; } = 1000;
        internal int EdgeItems { get; init; } = 3;
        internal int LineWidth { get; init; } = 80;
        internal bool? SciMode { get; init; }
        internal string FloatFormat { get; init; } = "g5";
        internal int StyleWidth { get; init; } = 100;
        internal string NewLine { get; init; } = "\n";
    }
}
