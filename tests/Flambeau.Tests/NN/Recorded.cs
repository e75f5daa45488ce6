using System.Globalization;

namespace Flambeau.Tests;

/// <summary>The numbers of tests/golden/nn/nn.txt, which record.py beside it wrote with PyTorch.</summary>
internal static class Recorded
{
    private static readonly Lazy<Dictionary<string, double[]>> Lines = new(Read);

    /// <summary>How PyTorch prints the layers.</summary>
    internal static Dictionary<string, string> Reprs { get; } =
        File.ReadLines(Find("reprs.txt")).ToDictionary(line => line[..line.IndexOf(':')], line => line[(line.IndexOf(':') + 2)..]);

    internal static IEnumerable<string> Names => Lines.Value.Keys;

    internal static double[] Of(string name) => Lines.Value[name];

    internal static torch.Tensor Tensor(string name, params long[] shape) =>
        torch.tensor(Of(name).Select(v => (float)v).ToArray(), shape.Length == 0 ? [Of(name).Length] : shape);

    private static Dictionary<string, double[]> Read()
    {
        var lines = new Dictionary<string, double[]>();
        foreach (string line in File.ReadLines(Find("nn.txt")))
        {
            int colon = line.IndexOf(':');
            lines[line[..colon]] = [.. line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => double.Parse(n, CultureInfo.InvariantCulture))];
        }
        return lines;
    }

    private static string Find(string name)
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d != null; d = d.Parent)
        {
            string file = Path.Combine(d.FullName, "tests", "golden", "nn", name);
            if (File.Exists(file)) return file;
        }
        throw new FileNotFoundException($"no tests/golden/nn/{name} above {AppContext.BaseDirectory}");
    }
}
