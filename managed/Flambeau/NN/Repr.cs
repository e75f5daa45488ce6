using System.Globalization;

namespace Flambeau;

/// <summary>Values as Python prints them: 1e-05, 1.0, True, (3, 3).</summary>
internal static class Repr
{
    internal static string Of(double x)
    {
        string text = x.ToString("R", CultureInfo.InvariantCulture);
        if (double.IsInfinity(x)) return x > 0 ? "inf" : "-inf";
        return text.Contains('E', StringComparison.Ordinal) ? text.Replace("E", "e", StringComparison.Ordinal) : text.Contains('.') || double.IsNaN(x) ? text.ToLowerInvariant() : text + ".0";
    }

    /// <summary>A number that may have been given as an integer.</summary>
    internal static string Number(double x) => x == Math.Floor(x) && Math.Abs(x) < 1e15 ? ((long)x).ToString(CultureInfo.InvariantCulture) : Of(x);

    internal static string Of(bool x) => x ? "True" : "False";

    /// <summary>A tuple; equal numbers as one if <paramref name="one"/>.</summary>
    internal static string Of(ReadOnlySpan<long> x, bool one = false)
    {
        if (one && x.Length > 0 && x.IndexOfAnyExcept(x[0]) < 0) return x[0].ToString(CultureInfo.InvariantCulture);
        return "(" + string.Join(", ", x.ToArray()) + (x.Length == 1 ? ",)" : ")");
    }

    internal static string Pair((long, long) x) => Of([x.Item1, x.Item2], one: true);

    internal static string Inplace(bool inplace) => inplace ? "inplace=True" : "";
}
