using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>The checks that run on every row of the op table.</summary>
public class OpTests
{
    private static IEnumerable<TestCaseData> Rows => OpTable.Rows.Select(r => new TestCaseData(r.Name) { TestName = "{m}(" + r.Name + ")" });

    private static OpRow Row(string name) => OpTable.Rows.First(r => r.Name == name);

    [TestCaseSource(nameof(Rows))]
    public void Matches_recorded_PyTorch(string name)
    {
        OpRow row = Row(name);
        int seen = 0;
        foreach (Sample sample in row.Samples)
        {
            Args args = sample.Arguments();
            object? result = Call(row, args, sample);
            seen++;
            if (!sample.Deterministic) continue;
            List<Tensor> ys = [.. Sample.Tensors(result)], expected = sample.Outputs();
            if (expected.Count == 0)
            {
                Assert.That(Plain(result), Is.EqualTo(Plain(sample.Output())), sample.ToString());
                continue;
            }
            Assert.That(ys, Has.Count.EqualTo(expected.Count), sample.ToString());
            for (int i = 0; i < ys.Count; i++) Close.Check(ys[i], expected[i], $"output {i} of {sample}", row.Tolerance);
            if (sample.HasGradients && !row.NoGradient) Gradients(row, sample, args, ys);
        }
        Assert.That(seen, Is.GreaterThan(0), "no recorded sample was replayed");
    }

    private static object? Call(OpRow row, Args args, Sample sample)
    {
        try
        {
            return row.Run(args);
        }
        catch (Exception e) when (e is not AssertionException)
        {
            throw new AssertionException($"{e.GetType().Name}: {e.Message}\n  in {sample}\n{e.StackTrace}");
        }
    }

    private static object? Plain(object? value) => value is System.Collections.IEnumerable list and not string ? string.Join(",", list.Cast<object>()) : value;

    private static void Gradients(OpRow row, Sample sample, Args args, List<Tensor> ys)
    {
        Tensor[] roots = [.. ys.Where(y => y.is_floating_point() && y.requires_grad)];
        List<Tensor> cotangents = sample.Cotangents();
        Assert.That(roots, Has.Length.EqualTo(cotangents.Count), $"outputs with a gradient in {sample}");
        autograd.backward(roots, cotangents);
        foreach ((string key, Tensor? expected) in sample.Gradients())
        {
            if (!args.ByKey.TryGetValue(key, out Tensor? x)) continue;
            if (expected is null) continue;
            Assert.That(x.grad, Is.Not.Null, $"gradient of {key} in {sample}");
            Close.Check(x.grad!, expected, $"gradient of {key} in {sample}", row.Tolerance);
        }
    }

    [TestCaseSource(nameof(Rows))]
    public void Gradient_equals_finite_differences_twice(string name)
    {
        OpRow row = Row(name);
        if (row.NoGradient || row.NoFiniteDifferences) return;
        foreach (Sample sample in row.Samples.Where(s => s.Dtype == "float64" && s.Deterministic).OrderBy(Size).Take(2))
        {
            Args args = sample.Arguments();
            Tensor[] leaves = [.. args.ByKey.Values.Where(t => t.requires_grad)];
            long count = leaves.Sum(t => t.numel());
            if (leaves.Length == 0 || count == 0 || !row.Tensors(args).Any(y => y.requires_grad)) continue;
            if (count > 700) continue;
            Tensor[] Function(Tensor[] _) => [.. row.Tensors(args)];
            try
            {
                autograd.gradcheck(Function, leaves);
                if (count <= 130) autograd.gradgradcheck(Function, leaves, atol: 1e-4);
            }
            catch (Exception e) when (e is not AssertionException)
            {
                throw new AssertionException($"{e.GetType().Name}: {e.Message}\n  in {sample}\n{e.StackTrace}");
            }
        }
    }

    private static long Size(Sample s) => s.Arguments().ByKey.Values.Where(t => t.requires_grad).Sum(t => t.numel()) is var n && n == 0 ? long.MaxValue : n;

    [TestCaseSource(nameof(Rows))]
    public void Layout_of_the_inputs_does_not_matter(string name)
    {
        OpRow row = Row(name);
        if (row.NoLayouts) return;
        foreach (Sample sample in row.Samples.Where(s => s.Deterministic && s.Dtype is "float32" or "int64" or "bool").Take(4))
        {
            List<Tensor> plain = row.Tensors(sample.Arguments());
            foreach (Func<Tensor, Tensor> layout in Layouts)
            {
                List<Tensor> ys = row.Tensors(sample.Arguments(layout));
                for (int i = 0; i < ys.Count; i++) Close.Check(ys[i], plain[i], $"output {i} for {layout.Method.Name} inputs of {sample}", row.Tolerance);
            }
        }
    }

    private static readonly Func<Tensor, Tensor>[] Layouts = [Transposed, Sliced];

    // The same values with the dimensions reversed in memory.
    private static Tensor Transposed(Tensor x)
    {
        long[] reversed = [.. Enumerable.Range(0, x.rank).Reverse().Select(i => (long)i)];
        return x.rank < 2 ? x : x.permute(reversed).contiguous().permute(reversed);
    }

    // Every second element of a larger tensor, away from its beginning; the gaps hold other values.
    private static Tensor Sliced(Tensor x)
    {
        if (x.rank == 0) return x;
        long[] larger = [.. x.sizes.Select(n => 2 * n + 3)];
        Tensor y = full(larger, 7, x.dtype);
        for (int d = 0; d < x.rank; d++) y = y.slice(d, 2, 2 + 2 * x.sizes[d], 2);
        Elementwise.Copy("test", x, y);
        return y.detach();
    }

    [TestCaseSource(nameof(Rows))]
    public void Half_types_agree_with_float32(string name)
    {
        OpRow row = Row(name);
        if (row.NoHalf || !row.Has("bfloat16")) return;
        foreach (Sample sample in row.Samples.Where(s => s.Deterministic && s.Dtype == "float32").Take(2))
            foreach (ScalarType half in new[] { ScalarType.BFloat16, ScalarType.Float16 })
            {
                // Both start from values that the half type holds exactly.
                Tensor Rounded(Tensor x) => x.dtype == ScalarType.Float32 ? x.to(half) : x;
                List<Tensor> expected = row.Tensors(sample.Arguments(x => Rounded(x).dtype == half ? Rounded(x).to(ScalarType.Float32) : x));
                List<Tensor> ys = row.Tensors(sample.Arguments(Rounded));
                for (int i = 0; i < ys.Count; i++)
                {
                    if (!expected[i].is_floating_point()) continue;
                    Close.Check(ys[i], expected[i], $"output {i} in {half.name()} of {sample}", Math.Max(Close.Tolerance(half), row.Tolerance ?? 0), sameDtype: false);
                    Tensor[] roots = [.. ys.Where(y => y.requires_grad)];
                    if (i == 0 && roots.Length > 0 && !row.NoGradient) autograd.backward(roots, [.. roots.Select(y => ones(y.sizes, y.dtype))]);
                }
            }
    }

    [TestCaseSource(nameof(Rows))]
    public void Memory_returns_to_where_it_was(string name)
    {
        OpRow row = Row(name);
        Sample? sample = row.Samples.FirstOrDefault(s => s.Dtype == "float32");
        if (sample is null) return;
        Once(row, sample);
        long before = LiveBlocks();
        Once(row, sample);
        Assert.That(LiveBlocks(), Is.LessThanOrEqualTo(before), "native blocks still live after the tensors are gone");
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Once(OpRow row, Sample sample)
    {
        Tensor[] roots = [.. row.Tensors(sample.Arguments()).Where(y => y.is_floating_point() && y.requires_grad)];
        if (roots.Length > 0 && !row.NoGradient) autograd.backward(roots, [.. roots.Select(y => ones(y.sizes, y.dtype))]);
    }

    private static unsafe long LiveBlocks()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Interop.flam_memory_stats stats;
        Error.Check(Interop.Native.flam_memory_stats_get(0, 0, &stats), "test");
        return stats.live_blocks;
    }
}
