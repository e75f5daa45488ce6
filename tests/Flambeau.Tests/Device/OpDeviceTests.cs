using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Every row of the op table gives on a CUDA device what it gives on the CPU: values, shapes, dtypes and gradients.</summary>
public class OpDeviceTests : DeviceFixture
{
    private const long MostElements = 20_000; // of one sample's arguments: the emulation is slow

    private static IEnumerable<TestCaseData> Rows => OpTable.Rows.Select(r => new TestCaseData(r.Name) { TestName = "{m}(" + r.Name + ")" });

    private static OpRow Row(string name) => OpTable.Rows.First(r => r.Name == name);

    private static long Elements(Args args) => args.ByKey.Values.Sum(t => t.numel());

    /// <summary>Samples of a kind: spread over the recorded ones, so that special cases at either end are among them.</summary>
    private static List<Sample> Chosen(OpRow row, Func<Sample, bool> kind, int most)
    {
        List<Sample> all = [.. row.Samples.Where(s => kind(s) && Elements(s.Arguments()) <= MostElements)];
        if (all.Count <= most) return all;
        return [.. Enumerable.Range(0, most).Select(i => all[most == 1 ? 0 : i * (all.Count - 1) / (most - 1)])];
    }

    private static Tensor ToGpu(Tensor x) => x.to(Gpu);

    /// <summary>Runs with all tensors on a device; ops without tensor arguments make theirs there by default.</summary>
    private static List<Tensor> Run(OpRow row, Args args, bool gpu, out object? result)
    {
        bool none = args.ByKey.Count == 0;
        try
        {
            if (none && gpu) set_default_device(Gpu);
            result = row.Run(args);
            return [.. Sample.Tensors(result)];
        }
        finally
        {
            set_default_device(CPU);
        }
    }

    private static object? Plain(object? value) => value is System.Collections.IEnumerable list and not string ? string.Join(",", list.Cast<object>()) : value;

    [TestCaseSource(nameof(Rows))]
    public void Equals_the_CPU(string name)
    {
        OpRow row = Row(name);
        Sample[] samples =
        [
            .. Chosen(row, s => s.Deterministic && s.Dtype == "float32", 10),
            .. Chosen(row, s => s.Deterministic && s.Dtype == "float64", 4),
            .. Chosen(row, s => s.Deterministic && s.Dtype is "int64", 3),
            .. Chosen(row, s => s.Deterministic && s.Dtype is "bool", 2),
            .. Chosen(row, s => s.Deterministic && s.Dtype is not ("float32" or "float64" or "int64" or "bool"), 4),
        ];
        foreach (Sample sample in samples) Compare(row, sample, ToGpu, x => x, null);
        if (samples.Length == 0) Assert.That(row.Samples.Any(s => !s.Deterministic), Is.True, "no sample was replayed");
    }

    [TestCaseSource(nameof(Rows))]
    public void Equals_the_CPU_in_half_types_and_other_layouts(string name)
    {
        OpRow row = Row(name);
        foreach (Sample sample in Chosen(row, s => s.Deterministic && s.Dtype == "float32", 2))
        {
            if (!row.NoLayouts) Compare(row, sample, x => Sliced(ToGpu(x)), Sliced, null);
            if (row.NoHalf || !row.Has("bfloat16")) continue;
            foreach (ScalarType half in new[] { ScalarType.BFloat16, ScalarType.Float16 })
            {
                Tensor Rounded(Tensor x) => x.dtype == ScalarType.Float32 ? x.to(half) : x;
                Compare(row, sample, x => ToGpu(Rounded(x)), Rounded, Math.Max(Close.Tolerance(half), row.Tolerance ?? 0));
            }
        }
    }

    private static void Compare(OpRow row, Sample sample, Func<Tensor, Tensor> gpu, Func<Tensor, Tensor> cpu, double? tolerance)
    {
        Args here = sample.Arguments(cpu), there = sample.Arguments(gpu);
        List<Tensor> expected = Run(row, here, false, out object? plain), ys;
        object? result;
        try
        {
            ys = Run(row, there, true, out result);
        }
        catch (Exception e) when (e is not AssertionException)
        {
            throw new AssertionException($"{e.GetType().Name}: {e.Message}\n  in {sample}\n{e.StackTrace}");
        }
        Assert.That(ys, Has.Count.EqualTo(expected.Count), sample.ToString());
        if (ys.Count == 0) Assert.That(Plain(result), Is.EqualTo(Plain(plain)), sample.ToString());
        for (int i = 0; i < ys.Count; i++)
        {
            Assert.That(ys[i].device, Is.EqualTo(Gpu), $"device of output {i} of {sample}");
            Close.Check(ys[i], expected[i], $"output {i} of {sample}", tolerance ?? row.Tolerance);
        }
        if (!row.NoGradient) Gradients(sample, here, expected, there, ys, tolerance ?? row.Tolerance);
    }

    private static void Gradients(Sample sample, Args here, List<Tensor> expected, Args there, List<Tensor> ys, double? tolerance)
    {
        Tensor[] roots = [.. expected.Where(y => y.is_floating_point() && y.requires_grad)], deviceRoots = [.. ys.Where(y => y.is_floating_point() && y.requires_grad)];
        Assert.That(deviceRoots, Has.Length.EqualTo(roots.Length), $"outputs with a gradient in {sample}");
        if (roots.Length == 0) return;
        Tensor[] cotangents = Array.ConvertAll(roots, Cotangent);
        autograd.backward(roots, cotangents);
        autograd.backward(deviceRoots, Array.ConvertAll(cotangents, ToGpu));
        foreach ((string key, Tensor x) in there.ByKey)
        {
            Tensor? g = here.ByKey[key].grad;
            Assert.That(x.grad is null, Is.EqualTo(g is null), $"gradient of {key} in {sample}");
            if (g is null) continue;
            Assert.That(x.grad!.device, Is.EqualTo(Gpu), $"device of the gradient of {key} in {sample}");
            Close.Check(x.grad, g, $"gradient of {key} in {sample}", tolerance);
        }
    }

    // Repeatable, away from 0, of both signs.
    private static Tensor Cotangent(Tensor y)
    {
        var values = new float[y.numel()];
        for (int i = 0; i < values.Length; i++) values[i] = (i % 2 == 0 ? 1 : -1) * (0.5f + i * 7 % 11 / 16f);
        return tensor(values, y.sizes, y.dtype);
    }

    // Every second element of a larger tensor, away from its beginning; the gaps hold other values.
    private static Tensor Sliced(Tensor x)
    {
        if (x.rank == 0) return x;
        Tensor y = full([.. x.sizes.Select(n => 2 * n + 3)], 7, x.dtype, x.device);
        for (int d = 0; d < x.rank; d++) y = y.slice(d, 2, 2 + 2 * x.sizes[d], 2);
        Elementwise.Copy("test", x, y);
        return y.detach();
    }

    [TestCaseSource(nameof(Rows))]
    public void Draws_repeat_by_seed(string name)
    {
        OpRow row = Row(name);
        foreach (Sample sample in Chosen(row, s => !s.Deterministic, 2))
        {
            List<Tensor> Draw()
            {
                manual_seed(5);
                return Run(row, sample.Arguments(ToGpu), true, out _);
            }
            List<Tensor> first = Draw(), second = Draw(), expected = Run(row, sample.Arguments(), false, out _);
            Assert.That(first, Has.Count.EqualTo(expected.Count), sample.ToString());
            for (int i = 0; i < first.Count; i++)
            {
                Assert.That(first[i].device, Is.EqualTo(Gpu), sample.ToString());
                Assert.That(first[i].sizes, Is.EqualTo(expected[i].sizes), sample.ToString());
                Assert.That(first[i].dtype, Is.EqualTo(expected[i].dtype), sample.ToString());
                Close.Check(first[i], second[i], $"output {i} of the same seed of {sample}", 0);
            }
        }
    }

    /// <summary>One tensor on the GPU and the others on the CPU, and the other way round: the error that names both devices, or the right result.</summary>
    [TestCaseSource(nameof(Rows))]
    public void Tensors_on_two_devices_are_refused_or_go_together(string name)
    {
        OpRow row = Row(name);
        foreach (Sample sample in Chosen(row, s => s.Deterministic && s.Dtype is "float32" or "int64" or "bool" && s.Arguments().ByKey.Count > 1, 2))
        {
            string[] keys = [.. sample.Arguments().ByKey.Keys];
            foreach (string one in keys.Take(3))
                foreach (bool moved in new[] { true, false })
                {
                    string place = $"{one} {(moved ? "on the GPU, the others not" : "on the CPU, the others on the GPU")} in {sample}";
                    Args args = sample.ArgumentsByKey((key, x) => (key == one) == moved ? ToGpu(x) : x);
                    try
                    {
                        List<Tensor> ys = Run(row, args, false, out _), expected = Run(row, sample.Arguments(), false, out _);
                        for (int i = 0; i < ys.Count; i++) Close.Check(ys[i], expected[i], place, row.Tolerance);
                    }
                    catch (Exception e) when (e is not AssertionException)
                    {
                        Assert.That(e, Is.TypeOf<ArgumentException>(), $"{place}\n{e.StackTrace}");
                        Assert.That(e.Message, Does.Contain("tensors are on").And.Contain("cpu").And.Contain("cuda:0"), place);
                    }
                    Assert.DoesNotThrow(() => cuda.synchronize(), place);
                }
        }
    }
}
