using System.Globalization;
using System.Text;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>
/// A tensor as PyTorch's repr writes it. One width for all numbers; integers when all are whole, else a fixed number of digits,
/// else powers of ten when the values spread over more than three orders of magnitude.
/// </summary>
internal sealed class PythonText
{
    private const string Prefix = "tensor(";

    private readonly PrintOptions options = printing;
    private readonly string[] elements; // of the summarised tensor, row-major
    private readonly long[] full, shown;
    private readonly bool summarize;
    private int next, width = 1;

    private PythonText(Tensor x)
    {
        full = x.sizes;
        summarize = x.numel() > options.Threshold;
        Tensor data = (summarize ? Summary(x, 0) : x).cpu();
        shown = data.sizes;
        elements = x.is_floating_point() ? Floats(data.to(ScalarType.Float64).data<double>().ToArray())
            : x.dtype == ScalarType.Bool ? Array.ConvertAll(data.data<bool>().ToArray(), static b => b ? "True" : "False")
            : Array.ConvertAll(data.to(ScalarType.Int64).data<long>().ToArray(), static n => n.ToString(CultureInfo.InvariantCulture));
        if (!x.is_floating_point())
            foreach (string s in elements) width = Math.Max(width, s.Length);
    }

    internal static string Of(Tensor x, string prefix = Prefix)
    {
        x.Live("ToString");
        bool usual = x.dtype == get_default_dtype() || x.dtype is ScalarType.Int64 or ScalarType.Bool;
        var suffixes = new List<string>();
        string body;
        if (!x.is_cpu()) suffixes.Add($"device='{x.device}'");
        using (no_grad())
        {
            if (x.numel() == 0)
            {
                if (x.rank != 1) suffixes.Add($"size=({string.Join(", ", x.sizes)})");
                if (x.dtype != get_default_dtype()) suffixes.Add($"dtype=torch.{x.dtype.name()}");
                body = "[]";
            }
            else
            {
                if (!usual) suffixes.Add($"dtype=torch.{x.dtype.name()}");
                body = new PythonText(x.detach()).Write(0, prefix.Length);
            }
        }
        if (x.grad_fn is { } made) suffixes.Add($"grad_fn=<{NodeName(made)}>");
        else if (x.requires_grad) suffixes.Add("requires_grad=True");
        return WithSuffixes(prefix + body, suffixes, prefix.Length).Replace("\n", printing.NewLine, StringComparison.Ordinal);
    }

    /// <summary>"log_softmax" is LogSoftmaxBackward0.</summary>
    internal static string NodeName(string op)
    {
        if (op == "copy_slices") return "CopySlices";
        if (op == "copy_") return "CopyBackwards";
        var name = new StringBuilder();
        foreach (string word in op.Split('_', StringSplitOptions.RemoveEmptyEntries)) name.Append(char.ToUpperInvariant(word[0])).Append(word, 1, word.Length - 1);
        return name.Append("Backward0").ToString();
    }

    private static string WithSuffixes(string text, List<string> suffixes, int indent)
    {
        var all = new StringBuilder(text);
        int last = text.Length - text.LastIndexOf('\n') + 1;
        foreach (string s in suffixes)
        {
            if (last + s.Length + 2 > printing.LineWidth)
            {
                all.Append(",\n").Append(' ', indent).Append(s);
                last = indent + s.Length;
            }
            else
            {
                all.Append(", ").Append(s);
                last += s.Length + 2;
            }
        }
        return all.Append(')').ToString();
    }

    // The first and last few entries of every dimension that is longer.
    private Tensor Summary(Tensor x, int d)
    {
        if (d == x.rank) return x;
        int edge = options.EdgeItems;
        Tensor y = x.sizes[d] <= 2 * edge ? x : cat([x.narrow(d, 0, edge), x.narrow(d, x.sizes[d] - edge, edge)], d);
        return Summary(y, d + 1);
    }

    private string[] Floats(double[] values)
    {
        double low = double.PositiveInfinity, high = 0;
        bool whole = true;
        foreach (double v in values)
        {
            if (!double.IsFinite(v) || v == 0) continue;
            double size = Math.Abs(v);
            (low, high) = (Math.Min(low, size), Math.Max(high, size));
            whole &= v == Math.Ceiling(v);
        }
        bool any = high > 0;
        bool sci = any && (high / low > 1000 || high > 1e8 || (!whole && low < 1e-4));
        if (any)
            foreach (double v in values)
                if (double.IsFinite(v) && v != 0)
                    width = Math.Max(width, sci ? Scientific(v).Length : whole ? v.ToString("F0", CultureInfo.InvariantCulture).Length + 1 : Fixed(v).Length);
        sci = options.SciMode ?? sci;
        return Array.ConvertAll(values, v => sci ? Scientific(v) : whole ? Whole(v) : Fixed(v));
    }

    private static string? Special(double v) => double.IsNaN(v) ? "nan" : double.IsPositiveInfinity(v) ? "inf" : double.IsNegativeInfinity(v) ? "-inf" : null;

    private static string Whole(double v) => Special(v) ?? v.ToString("F0", CultureInfo.InvariantCulture) + ".";

    /// <summary>Rounds ties to even, as Python does; .NET rounds them away from zero.</summary>
    private string Fixed(double v)
    {
        if (Special(v) is { } s) return s;
        int digits = options.Precision;
        string rounded = v.ToString("F" + digits, CultureInfo.InvariantCulture);
        double scaled = v * Math.Pow(2, digits + 1);
        if (Math.Abs(v) > 1e15 || scaled != Math.Floor(scaled)) return rounded;
        string exact = v.ToString("F" + (digits + 1), CultureInfo.InvariantCulture);
        return exact[^1] == '5' && (rounded[^1] - '0') % 2 == 1 ? exact[..^1].TrimEnd('.') : rounded;
    }

    private string Scientific(double v)
    {
        if (Special(v) is { } s) return s;
        int digits = options.Precision;
        string rounded = v.ToString("e" + digits, CultureInfo.InvariantCulture);
        string exact = v.ToString("e" + (digits + 40), CultureInfo.InvariantCulture);
        int e = exact.IndexOf('e', StringComparison.Ordinal), cut = e - 40;
        bool tie = exact[cut] == '5' && exact.AsSpan(cut + 1, 39).TrimEnd('0').IsEmpty;
        if (tie && (exact[cut - 1] == '.' ? exact[cut - 2] - '0' : exact[cut - 1] - '0') % 2 == 0) rounded = exact[..cut].TrimEnd('.') + exact[e..];
        int at = rounded.IndexOf('e', StringComparison.Ordinal); // 1.0000e+004 is 1.0000e+04 in Python
        string power = rounded[(at + 2)..].TrimStart('0').PadLeft(2, '0');
        return rounded[..(at + 2)] + power;
    }

    private string Write(int d, int indent)
    {
        if (shown.Length == 0) return Next();
        if (d == shown.Length - 1) return Vector(d, indent);
        bool cut = summarize && full[d] > 2 * options.EdgeItems;
        var parts = new List<string>();
        for (long i = 0; i < shown[d]; i++)
        {
            if (cut && i == options.EdgeItems) parts.Add("...");
            parts.Add(Write(d + 1, indent + 1));
        }
        return "[" + string.Join("," + new string('\n', shown.Length - d - 1) + new string(' ', indent + 1), parts) + "]";
    }

    private string Vector(int d, int indent)
    {
        bool cut = summarize && full[d] > 2 * options.EdgeItems;
        int perLine = Math.Max(1, (options.LineWidth - indent) / (width + 2));
        var parts = new List<string>();
        for (long i = 0; i < shown[d]; i++)
        {
            if (cut && i == options.EdgeItems) parts.Add(" ...");
            parts.Add(Next());
        }
        IEnumerable<string> lines = parts.Chunk(perLine).Select(static line => string.Join(", ", line));
        return "[" + string.Join(",\n" + new string(' ', indent + 1), lines) + "]";
    }

    private string Next() => elements[next++].PadLeft(width);
}
