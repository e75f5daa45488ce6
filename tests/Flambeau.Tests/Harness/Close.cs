using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Elementwise comparison; the tolerance belongs to the dtype.</summary>
internal static class Close
{
    /// <summary>Relative and absolute: a few roundings of the dtype on values of order one.</summary>
    internal static double Tolerance(ScalarType dtype) => dtype switch
    {
        ScalarType.Float64 => 1e-9,
        ScalarType.Float32 => 1e-5,
        ScalarType.Float16 => 4e-3,
        ScalarType.BFloat16 => 3e-2,
        _ => 0,
    };

    internal static unsafe double[] Doubles(Tensor x)
    {
        using IDisposable _ = no_grad();
        Tensor y = x.detach().cpu().to(ScalarType.Float64).contiguous();
        using Borrow b = y.Borrow("test", out Interop.flam_tensor v);
        return new ReadOnlySpan<double>(v.data, (int)y.numel()).ToArray();
    }

    /// <summary>Fails with shapes, or the worst element, and the context.</summary>
    internal static void Check(Tensor actual, Tensor expected, string context, double? tolerance = null, bool sameDtype = true)
    {
        string where = $"\n  in {context}";
        if (sameDtype) Assert.That(actual.dtype.name(), Is.EqualTo(expected.dtype.name()), "dtype" + where);
        Assert.That(actual.sizes, Is.EqualTo(expected.sizes), "shape" + where);
        if (actual.dtype == ScalarType.Int64 && expected.dtype == ScalarType.Int64) tolerance ??= 0;
        double tol = tolerance ?? Tolerance(expected.dtype);
        double[] a = Doubles(actual), e = Doubles(expected);
        int worst = -1;
        double most = 0;
        for (int i = 0; i < a.Length; i++)
        {
            if (actual.dtype == ScalarType.Float16 && Math.Abs(e[i]) > 65504) continue; // beyond float16
            if (a[i].Equals(e[i]) || (double.IsNaN(a[i]) && double.IsNaN(e[i])) || a[i] == e[i]) continue;
            double excess = Math.Abs(a[i] - e[i]) - tol * (1 + Math.Abs(e[i]));
            if (double.IsNaN(excess) || double.IsInfinity(a[i]) || double.IsInfinity(e[i])) excess = double.PositiveInfinity;
            if (excess <= most) continue;
            most = excess;
            worst = i;
        }
        if (worst >= 0) Assert.Fail($"element {worst} of {a.Length} (shape {Error.Shape(expected.sizes)}) is {a[worst]:g9}, expected {e[worst]:g9}, tolerance {tol}{where}");
    }
}
