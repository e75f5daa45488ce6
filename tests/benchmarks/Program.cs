// Flambeau beside TorchSharp, workload by workload: see docs/performance.md.
using System.Globalization;
using Benchmarks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
Options options;
try
{
    options = Options.Parse(args);
}
catch (FormatException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
if (options.Memory != null) return Memory.Print(options);

Row[] rows = [.. Row.All.Where(r => r.Name.Contains(options.Filter, StringComparison.OrdinalIgnoreCase))];
if (options.List)
{
    foreach (Row row in rows) Console.WriteLine(row.Name);
    return 0;
}
ILibrary? flambeau, torchSharp;
try
{
    flambeau = options.Only == "torchsharp" ? null : new Benchmarks.InFlambeau.Library();
    torchSharp = options.Only == "flambeau" ? null : new Benchmarks.InTorchSharp.Library();
    flambeau?.SetThreads(options.Threads);
    torchSharp?.SetThreads(options.Threads);
}
catch (DllNotFoundException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
var report = new Report(options, flambeau, torchSharp);
var harness = new Harness(options.Quick);
foreach (Row row in rows)
{
    Outcome outcome = harness.Measure(row, flambeau, torchSharp);
    if (row.Training && outcome.Error is null)
        outcome = outcome with
        {
            FlambeauPeak = flambeau is null ? null : Memory.OfChild("flambeau", row, options),
            TorchSharpPeak = torchSharp is null ? null : Memory.OfChild("torchsharp", row, options),
        };
    report.Add(outcome);
}
return report.Close();
