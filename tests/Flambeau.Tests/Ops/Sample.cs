using static Flambeau.torch;

namespace Flambeau.Tests.Ops;

/// <summary>Small float64 tensors with fixed, unremarkable values.</summary>
internal static class Sample
{
    /// <summary>Values between -1.7 and 1.7, no two alike, none at a kink of an activation.</summary>
    internal static Tensor Real(params long[] shape)
    {
        long count = shape.Aggregate(1L, (n, d) => n * d);
        var values = new double[count];
        for (int k = 0; k < count; k++) values[k] = Math.Sin(k * 1.3 + count * 0.7 + 0.1) * 1.7;
        return tensor(values, shape).requires_grad_();
    }

    internal static Tensor Positive(params long[] shape) => (Real(shape).detach().abs() + 0.2).requires_grad_();

    /// <summary>Between 0.05 and 0.95.</summary>
    internal static Tensor Unit(params long[] shape) => (Real(shape).detach() * 0.25 + 0.5).requires_grad_();

    /// <summary>First and second derivatives of y = f(inputs) against central differences, with random cotangents.</summary>
    internal static void CheckGradients(Func<Tensor[], Tensor> f, params Tensor[] inputs)
    {
        Assert.That(torch.autograd.gradcheck(x => [f(x)], inputs), Is.True);
        Assert.That(torch.autograd.gradgradcheck(x => [f(x)], inputs, atol: 1e-4), Is.True);
    }

    internal static double[] Values(Tensor x) => [.. Enumerable.Range(0, (int)x.numel()).Select(i => x.detach().to(float64).reshape(-1).select(0, i).item<double>())];

    internal static void AreClose(Tensor actual, double[] expected, double tolerance = 1e-12)
    {
        double[] values = Values(actual);
        Assert.That(values, Has.Length.EqualTo(expected.Length));
        for (int i = 0; i < values.Length; i++)
        {
            if (double.IsNaN(expected[i])) Assert.That(values[i], Is.NaN, $"element {i}");
            else Assert.That(values[i], Is.EqualTo(expected[i]).Within(tolerance), $"element {i}");
        }
    }
}
