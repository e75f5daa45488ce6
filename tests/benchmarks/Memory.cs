using System.Diagnostics;

namespace Benchmarks;

/// <summary>Peak resident memory is a property of a process, so each library gets one of its own.</summary>
internal static class Memory
{
    /// <summary>Runs the row in this process and prints its peak in MiB.</summary>
    internal static int Print(Options options)
    {
        Row row = Row.All.Single(r => r.Name == options.Filter);
        ILibrary library = options.Memory == "flambeau" ? new InFlambeau.Library() : new InTorchSharp.Library();
        library.SetThreads(options.Threads);
        using IWorkload work = row.Make(library);
        var clock = Stopwatch.StartNew();
        do work.Run(3);
        while (clock.Elapsed < TimeSpan.FromSeconds(options.Quick ? 0.2 : 3));
        string peak = File.ReadLines("/proc/self/status").Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)); // "VmHWM:   123456 kB"
        Console.WriteLine($"{double.Parse(peak.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2]) / 1024:F1}");
        return 0;
    }

    /// <summary>The same by a child process; null where there is no /proc.</summary>
    internal static double? OfChild(string library, Row row, Options options)
    {
        if (!File.Exists("/proc/self/status")) return null;
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        // Under `dotnet FILE.dll` the process is the host, and the program its first argument.
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(typeof(Memory).Assembly.Location);
        foreach (string argument in new[] { "--memory", library, row.Name, "--threads", $"{options.Threads}" }) start.ArgumentList.Add(argument);
        if (options.Quick) start.ArgumentList.Add("--quick");
        using Process child = Process.Start(start)!;
        string text = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode == 0 && double.TryParse(text.Trim(), out double peak) ? peak : null;
    }
}
