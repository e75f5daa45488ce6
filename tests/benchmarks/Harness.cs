using System.Diagnostics;

namespace Benchmarks;

/// <summary>Times of a step over the blocks, and what a step allocates on the managed heap.</summary>
internal sealed record Measurement(double[] Microseconds, double ManagedBytes)
{
    internal double Median => Quantile(0.5);

    /// <summary>Interquartile range divided by the median.</summary>
    internal double Spread => (Quantile(0.75) - Quantile(0.25)) / Median;

    private double Quantile(double q)
    {
        double[] sorted = [.. Microseconds.Order()];
        double at = q * (sorted.Length - 1);
        int i = (int)at;
        return i + 1 < sorted.Length ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[i];
    }
}

/// <summary>One row's outcome. Measurements are null where Error says why.</summary>
internal sealed record Outcome(Row Row, Measurement? Flambeau = null, Measurement? TorchSharp = null, long Parameters = 0, double Difference = 0, string? Error = null)
{
    internal double? Ratio => Flambeau?.Median / TorchSharp?.Median;

    /// <summary>Peak resident memory of a process that does nothing else, in MiB; training rows only.</summary>
    internal double? FlambeauPeak { get; init; }

    internal double? TorchSharpPeak { get; init; }
}

/// <summary>Compares, warms up, then times blocks of steps, the libraries taking turns.</summary>
internal sealed class Harness(bool quick)
{
    private readonly TimeSpan block = TimeSpan.FromMilliseconds(quick ? 5 : 25), warm = TimeSpan.FromMilliseconds(quick ? 100 : 700), most = TimeSpan.FromSeconds(quick ? 4 : 60);

    /// <summary>Either library may be null: the other is then timed alone.</summary>
    internal Outcome Measure(Row row, ILibrary? flambeau, ILibrary? torchSharp)
    {
        // The last row's tensors are not this row's burden.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        try
        {
            using IWorkload? ours = flambeau is null ? null : row.Make(flambeau), theirs = torchSharp is null ? null : row.Make(torchSharp);
            double difference = ours is null || theirs is null ? 0 : Compare(row, ours, theirs);
            IWorkload[] both = [.. new[] { ours, theirs }.OfType<IWorkload>()];
            Measurement[] times = Time(both);
            return new Outcome(row, ours is null ? null : times[0], theirs is null ? null : times[^1], both[0].Parameters, difference);
        }
        catch (Exception e)
        {
            return new Outcome(row, Error: $"{e.GetType().Name}: {e.Message.Split('\n')[0]}");
        }
    }

    private static double Compare(Row row, IWorkload ours, IWorkload theirs)
    {
        if (ours.Parameters != theirs.Parameters) throw new InvalidDataException($"{ours.Parameters} parameters in Flambeau, {theirs.Parameters} in TorchSharp");
        Dictionary<string, float[]> state = ours.State();
        string[] extra = [.. theirs.State().Keys.Except(state.Keys)];
        if (extra.Length > 0) throw new InvalidDataException($"Flambeau's state has no {string.Join(", ", extra)}");
        theirs.Load(state);
        Dictionary<string, float[]> results = ours.Results(), expected = theirs.Results();
        if (!results.Keys.ToHashSet().SetEquals(expected.Keys)) throw new InvalidDataException("the results have different names");
        double worst = 0;
        foreach ((string name, float[] wanted) in expected)
        {
            if (results[name].Length != wanted.Length) throw new InvalidDataException($"{name} has {results[name].Length} numbers in Flambeau, {wanted.Length} in TorchSharp");
            double difference = Difference(results[name], wanted, euclidean: row.Training);
            if (!(difference <= row.Tolerance)) throw new InvalidDataException($"{name} differs by {difference:E1}, tolerance {row.Tolerance:E1}");
            worst = Math.Max(worst, difference);
        }
        return worst;
    }

    // max |a - b| / max |b|, or ||a - b|| / ||b||: where a rounding error turns one ReLU off, a single gradient jumps.
    private static double Difference(float[] a, float[] b, bool euclidean)
    {
        double most = 0, scale = 1e-30, squares = 0, norm = 1e-30;
        for (int i = 0; i < a.Length; i++)
        {
            double d = Math.Abs((double)a[i] - b[i]);
            if (!double.IsFinite(d)) return double.NaN;
            most = Math.Max(most, d);
            scale = Math.Max(scale, Math.Abs(b[i]));
            squares += d * d;
            norm += (double)b[i] * b[i];
        }
        return euclidean ? Math.Sqrt(squares / norm) : most / scale;
    }

    private Measurement[] Time(IWorkload[] works)
    {
        int[] steps = [.. works.Select(Calibrate)];
        int blocks = quick ? 3 : 15;
        double cycle = works.Select((w, i) => Seconds(w, steps[i])).Sum();
        blocks = Math.Clamp((int)(most.TotalSeconds / cycle), Math.Min(5, blocks), blocks);
        var times = works.Select(_ => new double[blocks]).ToArray();
        var bytes = new long[works.Length];
        for (int b = 0; b < blocks; b++)
            for (int i = 0; i < works.Length; i++)
            {
                Settle(works[i], steps[i]);
                long before = GC.GetTotalAllocatedBytes(precise: true);
                times[i][b] = 1e6 * Seconds(works[i], steps[i]) / steps[i];
                bytes[i] += GC.GetTotalAllocatedBytes(precise: true) - before;
            }
        return [.. works.Select((_, i) => new Measurement(times[i], (double)bytes[i] / blocks / steps[i]))];
    }

    // Warms up (the JIT's tiers, caches) and returns how many steps fill a block. Several, if they are not long: garbage that a step
    // leaves is collected in a later one, and a median of single steps would not see it.
    private int Calibrate(IWorkload work)
    {
        var clock = Stopwatch.StartNew();
        int steps = 1;
        double last = Seconds(work, steps);
        while (clock.Elapsed < warm)
        {
            if (last < block.TotalSeconds) steps = (int)Math.Min(10_000_000, Math.Ceiling(steps * Math.Clamp(block.TotalSeconds / last, 1.1, 10)));
            last = Seconds(work, steps);
        }
        double step = last / steps;
        int least = quick ? 1 : Math.Clamp((int)(0.5 / step), 1, 8);
        return Math.Max(least, (int)Math.Ceiling(block.TotalSeconds / step));
    }

    // The other library's finalizers end, its idle threads stop spinning, and this one's threads and caches wake, outside the block.
    private static void Settle(IWorkload work, int steps)
    {
        GC.WaitForPendingFinalizers();
        Thread.Sleep(5);
        if (steps > 1) work.Run(Math.Max(1, steps / 10));
    }

    private static double Seconds(IWorkload work, int steps)
    {
        long start = Stopwatch.GetTimestamp();
        work.Run(steps);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
