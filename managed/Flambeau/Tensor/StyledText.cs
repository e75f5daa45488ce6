using System.Globalization;
using System.Text;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>A tensor in TorchSharp's other styles: Julia's aligned columns, NumPy's brackets, C#'s braces.</summary>
internal sealed class StyledText
{
    private const int Edge = 3; // entries shown at each end of a long dimension

    private readonly Tensor x;
    private readonly string[] elements;
    private readonly int width;
    private readonly string newLine;
    private readonly bool suffix; // 1.5f

    private StyledText(Tensor tensor, string format, int width, CultureInfo culture, string newLine, bool suffix)
    {
        using (no_grad()) x = tensor.detach().cpu();
        this.width = width;
        this.newLine = newLine;
        this.suffix = suffix && x.dtype != ScalarType.Float64 && x.is_floating_point();
        elements = x.is_floating_point() ? Array.ConvertAll(x.to(ScalarType.Float64).data<double>().ToArray(), v => Number(v, format, culture))
            : x.dtype == ScalarType.Bool ? Array.ConvertAll(x.data<bool>().ToArray(), static b => b ? "true" : "false")
            : Array.ConvertAll(x.to(ScalarType.Int64).data<long>().ToArray(), n => n.ToString(culture));
    }

    internal static string Metadata(Tensor x) => $"[{string.Join('x', x.sizes)}], type = {x.dtype}, device = {x.device}";

    internal static string Julia(Tensor x, string format, int width, CultureInfo culture, string newLine)
    {
        var text = new StyledText(x, format, width, culture, newLine, suffix: false);
        if (x.rank == 0) return $"{Metadata(x)}, value = {text.elements[0]}";
        var all = new StringBuilder(Metadata(x)).Append(newLine);
        if (x.numel() == 0) return all.ToString();
        long columns = x.sizes[^1], rows = x.rank == 1 ? 1 : x.sizes[^2], pages = x.numel() / (rows * columns);
        for (long page = 0; page < pages; page++)
        {
            if (page > 0) all.Append(newLine);
            if (x.rank > 2) all.Append('[').Append(text.PageName(page)).Append(",..,..] =").Append(newLine);
            text.JuliaPage(all, page * rows * columns, rows, columns);
        }
        return all.ToString();
    }

    internal static string Numpy(Tensor x, string format, int width, CultureInfo culture, string newLine)
    {
        var text = new StyledText(x, format, width, culture, newLine, suffix: false);
        return x.rank == 0 ? text.elements[0] : text.Nested(0, 0, '[', ']', "", rowsApart: true);
    }

    internal static string CSharp(Tensor x, string format, int width, CultureInfo culture, string newLine)
    {
        var text = new StyledText(x, format, width, culture, newLine, suffix: true);
        string head = $"{Metadata(x)}, value = ";
        if (x.rank == 0) return head + text.elements[0];
        string type = $"{TypeName(x.dtype)} [{new string(',', x.rank - 1)}] ";
        if (x.rank == 1) return head + type + text.Nested(0, 0, '{', '}', ",", rowsApart: false);
        var rows = text.Entries(0).Select(i => i < 0 ? " ..." : " " + text.Nested(1, i, '{', '}', ",", rowsApart: false)).ToArray();
        var all = new StringBuilder(head).Append(newLine).Append(type).Append('{').Append(newLine);
        for (int i = 0; i < rows.Length; i++) all.Append(rows[i]).Append(i + 1 < rows.Length && rows[i] != " ..." ? "," : "").Append(newLine);
        return all.Append('}').ToString();
    }

    private string Number(double v, string format, CultureInfo culture)
    {
        string s = x.dtype == ScalarType.Float32 ? ((float)v).ToString(format, culture) : v.ToString(format, culture);
        return suffix ? s + "f" : s;
    }

    private static string TypeName(ScalarType dtype) => dtype switch
    {
        ScalarType.Byte => "byte",
        ScalarType.Int8 => "sbyte",
        ScalarType.Int16 => "short",
        ScalarType.Int32 => "int",
        ScalarType.Int64 => "long",
        ScalarType.Float32 => "float",
        ScalarType.Float64 => "double",
        _ => dtype.name(),
    };

    private string PageName(long page)
    {
        var indices = new long[x.rank - 2];
        for (int d = indices.Length - 1; d >= 0; d--)
        {
            indices[d] = page % x.sizes[d];
            page /= x.sizes[d];
        }
        return string.Join(',', indices);
    }

    // Every column as wide as its widest entry; columns that do not fit the line are left out in the middle.
    private void JuliaPage(StringBuilder all, long first, long rows, long columns)
    {
        var widths = new int[columns];
        for (long r = 0; r < rows; r++)
            for (long c = 0; c < columns; c++) widths[c] = Math.Max(widths[c], elements[first + r * columns + c].Length);
        (long head, long tail) = Fitting(widths);
        for (long r = 0; r < rows; r++)
        {
            for (long c = 0; c < columns; c++)
            {
                if (c == head && tail > head) all.Append(" ...");
                if (c >= head && c < tail) continue;
                all.Append(' ').Append(elements[first + r * columns + c].PadLeft(widths[c]));
            }
            all.Append(newLine);
        }
    }

    // Columns head..tail-1 are left out.
    private (long Head, long Tail) Fitting(int[] widths)
    {
        long total = widths.Sum(static w => (long)w + 1);
        if (total <= width) return (widths.Length, widths.Length);
        long used = 4;
        int head = 0, tail = widths.Length;
        while (head < tail)
        {
            int next = head <= widths.Length - tail ? head : tail - 1;
            used += widths[next] + 1;
            if (used > width && head > 0) break;
            if (next == head) head++;
            else tail--;
        }
        return (head, tail);
    }

    /// <summary>Numbers of the entries to show along a dimension, -1 for what is left out.</summary>
    private IEnumerable<long> Entries(int d)
    {
        for (long i = 0; i < x.sizes[d]; i++)
        {
            if (x.sizes[d] > 2 * Edge && i == Edge)
            {
                yield return -1;
                i = x.sizes[d] - Edge;
            }
            yield return i;
        }
    }

    private string Nested(int d, long number, char open, char close, string comma, bool rowsApart)
    {
        var all = new StringBuilder().Append(open);
        bool last = d == x.rank - 1, first = true, gap = false;
        string between = last ? ", " : comma + string.Concat(Enumerable.Repeat(newLine, rowsApart ? x.rank - d - 1 : 1)) + new string(' ', rowsApart ? d + 1 : d + 1);
        foreach (long i in Entries(d))
        {
            if (!first) all.Append(last && gap ? " " : gap ? between[comma.Length..] : between);
            first = false;
            gap = i < 0;
            long at = number * x.sizes[d] + i;
            all.Append(gap ? "..." : last ? elements[at] : Nested(d + 1, at, open, close, comma, rowsApart));
        }
        return all.Append(close).ToString();
    }
}
