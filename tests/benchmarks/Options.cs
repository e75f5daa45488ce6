using System.Globalization;

namespace Benchmarks;

/// <summary>What the command line says.</summary>
/// <param name="Only">One library alone, for a profiler: "flambeau" or "torchsharp".</param>
/// <param name="Memory">Library whose peak memory this process measures, on the row named Filter.</param>
internal sealed record Options(string Filter = "", bool Quick = false, bool List = false, int Threads = 0, string? Only = null, string? Memory = null, string? Json = null, string? Markdown = null, string? Plot = null)
{
    internal const string Usage = """
        options: --filter TEXT     rows whose name contains TEXT
                 --quick           short blocks: a smoke test, not a measurement
                 --list            names of the rows
                 --threads N       threads of both libraries (all cores)
                 --only LIBRARY    flambeau or torchsharp alone, for a profiler
                 --json FILE  --markdown FILE  --plot FILE.png
                 --memory LIBRARY ROW  prints the peak resident memory of a row in MiB
        """;

    /// <exception cref="FormatException">An unknown option or a bad value; the message is for the user.</exception>
    internal static Options Parse(string[] args)
    {
        var options = new Options(Threads: Environment.ProcessorCount);
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i];
            string Value() => ++i < args.Length ? args[i] : throw new FormatException($"{name} needs a value\n{Usage}");
            options = name switch
            {
                "--filter" => options with { Filter = Value() },
                "--quick" => options with { Quick = true },
                "--list" => options with { List = true },
                "--threads" => options with { Threads = Number(name, Value()) },
                "--only" => options with { Only = Library(Value()) },
                "--memory" => options with { Memory = Library(Value()), Filter = Value() },
                "--json" => options with { Json = Value() },
                "--markdown" => options with { Markdown = Value() },
                "--plot" => options with { Plot = Value() },
                _ => throw new FormatException($"unknown option {name}\n{Usage}"),
            };
        }
        return options;
    }

    private static int Number(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n > 0 ? n : throw new FormatException($"{name} must be a whole number from 1, not '{value}'");

    private static string Library(string name) => name is "flambeau" or "torchsharp" ? name : throw new FormatException($"a library is flambeau or torchsharp, not {name}");
}
