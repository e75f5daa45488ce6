using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Benchmarks;

/// <summary>Prints each outcome as it comes, then the means, and writes the files that were asked for.</summary>
internal sealed class Report
{
    private readonly Options options;
    private readonly List<Outcome> outcomes = [];
    private readonly Dictionary<string, object> machine;

    internal Report(Options options, ILibrary? flambeau, ILibrary? torchSharp)
    {
        this.options = options;
        machine = new()
        {
            ["cpu"] = Cpu(),
            ["cores"] = Environment.ProcessorCount,
            ["threads"] = options.Threads,
            ["os"] = RuntimeInformation.OSDescription,
            ["dotnet"] = Environment.Version.ToString(),
            ["flambeau"] = flambeau?.Version ?? "",
            ["torchsharp"] = torchSharp?.Version ?? "",
            ["quick"] = options.Quick,
        };
        Console.WriteLine($"{machine["cpu"]}, {options.Threads} threads, .NET {machine["dotnet"]}, Flambeau {machine["flambeau"]}, TorchSharp {machine["torchsharp"]}");
        Console.WriteLine($"{"workload",-36} {"Flambeau",12} {"spread",6} {"TorchSharp",12} {"spread",6} {"ratio",6} {"target",6}        {"managed B",10} {"B in TS",9}  notes");
    }

    private IEnumerable<Outcome> Compared => outcomes.Where(o => o.Ratio != null);

    internal void Add(Outcome outcome)
    {
        outcomes.Add(outcome);
        if (outcome.Error != null)
        {
            Console.WriteLine($"{outcome.Row.Name,-36} FAILED: {outcome.Error}");
            return;
        }
        Measurement? f = outcome.Flambeau, t = outcome.TorchSharp;
        Console.WriteLine($"{outcome.Row.Name,-36} {Time(f),12} {f?.Spread,6:P0} {Time(t),12} {t?.Spread,6:P0} {outcome.Ratio,6:F2} {outcome.Row.Target,6:F2} {Verdict(outcome),-7} {f?.ManagedBytes,10:N0} {t?.ManagedBytes,9:N0}  {Notes(outcome)}");
    }

    /// <returns>The exit code: 1 if a row failed. A target that is not met is a result, not a failure.</returns>
    internal int Close()
    {
        int failed = outcomes.Count(o => o.Error != null), met = Compared.Count(o => o.Ratio <= o.Row.Target);
        Console.WriteLine(Summary());
        Console.WriteLine($"{met} of {outcomes.Count} targets met, {failed} rows failed");
        Outcome[] peaks = [.. outcomes.Where(o => o.FlambeauPeak != null && o.TorchSharpPeak != null)];
        if (peaks.Length > 0) Console.WriteLine($"peak memory at most TorchSharp's in {peaks.Count(o => o.FlambeauPeak <= o.TorchSharpPeak)} of {peaks.Length} training rows");
        if (options.Json != null) Write(options.Json, Json());
        if (options.Markdown != null) Write(options.Markdown, Markdown());
        if (options.Plot != null && Compared.Any())
        {
            Plot.Save(Folder(options.Plot), [.. Compared]);
            Console.WriteLine($"wrote {options.Plot}");
        }
        return failed == 0 ? 0 : 1;
    }

    private string Summary()
    {
        double[] rows = [.. Compared.Select(o => o.Ratio!.Value)], groups = [.. Compared.GroupBy(o => o.Row.Group).Select(g => GeometricMean([.. g.Select(o => o.Ratio!.Value)]))];
        return rows.Length == 0 ? "nothing was compared" : $"geometric mean of the ratios: {GeometricMean(rows):F3} over {rows.Length} rows, {GeometricMean(groups):F3} over {groups.Length} groups of rows";
    }

    private static double GeometricMean(double[] values) => Math.Exp(values.Average(Math.Log));

    private static string Verdict(Outcome o) => o.Ratio is not { } ratio ? "" : ratio <= o.Row.Target ? "met" : "not met";

    private static string Time(Measurement? m) => m?.Median switch
    {
        null => "",
        < 1e3 and var us => $"{us:F2} us",
        < 1e6 and var us => $"{us / 1e3:F2} ms",
        var us => $"{us / 1e6:F2} s",
    };

    // Throughput where a row has a number of operations, peak memory where it trains.
    private static string Notes(Outcome o)
    {
        List<string> notes = [];
        if (o.Row.Work > 0) notes.Add($"{Rate(o, o.Flambeau):F0} : {Rate(o, o.TorchSharp):F0} GFLOP/s");
        if (o.FlambeauPeak != null || o.TorchSharpPeak != null) notes.Add($"peak {o.FlambeauPeak:F0} : {o.TorchSharpPeak:F0} MiB");
        return string.Join(", ", notes);
    }

    private static double? Rate(Outcome o, Measurement? m) => o.Row.Work > 0 ? o.Row.Work / m?.Median / 1e3 : null;

    private string Json()
    {
        var rows = outcomes.Select(o => new Dictionary<string, object?>
        {
            ["name"] = o.Row.Name,
            ["group"] = o.Row.Group,
            ["flambeau_us"] = o.Flambeau?.Median,
            ["torchsharp_us"] = o.TorchSharp?.Median,
            ["ratio"] = o.Ratio,
            ["target"] = o.Row.Target,
            ["met"] = o.Ratio <= o.Row.Target,
            ["flambeau_spread"] = o.Flambeau?.Spread,
            ["torchsharp_spread"] = o.TorchSharp?.Spread,
            ["managed_bytes"] = o.Flambeau?.ManagedBytes,
            ["torchsharp_managed_bytes"] = o.TorchSharp?.ManagedBytes,
            ["flambeau_gflops"] = Rate(o, o.Flambeau),
            ["torchsharp_gflops"] = Rate(o, o.TorchSharp),
            ["flambeau_peak_mib"] = o.FlambeauPeak,
            ["torchsharp_peak_mib"] = o.TorchSharpPeak,
            ["parameters"] = o.Parameters,
            ["difference"] = o.Difference,
            ["error"] = o.Error,
        });
        double[] ratios = [.. Compared.Select(o => o.Ratio!.Value)];
        return JsonSerializer.Serialize(new { machine, rows, geometric_mean = ratios.Length == 0 ? (double?)null : GeometricMean(ratios) }, Indented);
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private string Markdown()
    {
        var text = new StringBuilder();
        text.AppendLine("| workload | Flambeau | spread | TorchSharp | spread | ratio | at most | | managed bytes | GFLOP/s | peak MiB |");
        text.AppendLine("|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (Outcome o in outcomes)
        {
            Measurement? f = o.Flambeau, t = o.TorchSharp;
            string rates = o.Row.Work > 0 ? $"{Rate(o, f):F0} : {Rate(o, t):F0}" : "", peaks = o.Row.Training ? $"{o.FlambeauPeak:F0} : {o.TorchSharpPeak:F0}" : "";
            text.AppendLine(o.Error != null
                ? $"| {o.Row.Name} | {o.Error} | | | | | {o.Row.Target:F2} | failed | | | |"
                : $"| {o.Row.Name} | {Time(f)} | {f?.Spread:P0} | {Time(t)} | {t?.Spread:P0} | {o.Ratio:F2} | {o.Row.Target:F2} | {Verdict(o)} | {f?.ManagedBytes:N0} | {rates} | {peaks} |");
        }
        text.AppendLine().AppendLine($"{char.ToUpperInvariant(Summary()[0])}{Summary()[1..]}.");
        text.AppendLine().AppendLine($"{machine["cpu"]}, {options.Threads} threads, {machine["os"]}, .NET {machine["dotnet"]}, TorchSharp {machine["torchsharp"]}.");
        return text.ToString();
    }

    private static void Write(string file, string text)
    {
        File.WriteAllText(Folder(file), text);
        Console.WriteLine($"wrote {file}");
    }

    private static string Folder(string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        return file;
    }

    private static string Cpu()
    {
        string? line = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
