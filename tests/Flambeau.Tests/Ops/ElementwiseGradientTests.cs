using static Flambeau.torch;
using F = Flambeau.torch.nn.functional;

namespace Flambeau.Tests.Ops;

public sealed class ElementwiseGradientTests
{
    private static TestCaseData One(string name, Func<Tensor, Tensor> f, Func<Tensor>? input = null) => new TestCaseData(f, input ?? (() => Sample.Real(2, 3))).SetName(name);

    private static Tensor P() => Sample.Positive(2, 3);

    private static Tensor U() => Sample.Unit(2, 3);

    private static IEnumerable<TestCaseData> Unary() =>
    [
        One("exp", x => x.exp()), One("exp2", x => x.exp2()), One("expm1", x => x.expm1()), One("log", x => x.log(), P), One("log2", x => x.log2(), P),
        One("log10", x => x.log10(), P), One("log1p", x => x.log1p(), P), One("sqrt", x => x.sqrt(), P), One("rsqrt", x => x.rsqrt(), P),
        One("square", x => x.square()), One("reciprocal", x => x.reciprocal(), P), One("abs", x => x.abs()), One("sin", x => x.sin()), One("cos", x => x.cos()),
        One("tan", x => x.tan(), U), One("asin", x => x.asin(), U), One("acos", x => x.acos(), U), One("atan", x => x.atan()), One("sinh", x => x.sinh()),
        One("cosh", x => x.cosh()), One("tanh", x => x.tanh()), One("asinh", x => x.asinh()), One("acosh", x => (x + 1).acosh(), P), One("atanh", x => x.atanh(), U),
        One("erf", x => x.erf()), One("erfc", x => x.erfc()), One("erfinv", x => x.erfinv(), U), One("lgamma", x => x.lgamma(), P), One("digamma", x => x.digamma(), P),
        One("trigamma of negatives", x => polygamma(1, x)), One("polygamma 2", x => polygamma(2, x), P), One("sinc", x => x.sinc()), One("logit", x => x.logit(), U),
        One("mvlgamma", x => (x + 3).mvlgamma(3), P), One("sigmoid", x => x.sigmoid()), One("logsigmoid", x => x.log_sigmoid()), One("frac", x => x.frac()),
        One("round", x => x.round() + x), One("nan_to_num", x => x.nan_to_num()),
    ];

    private static IEnumerable<TestCaseData> Activations() =>
    [
        One("relu", x => F.relu(x)), One("relu6", x => F.relu6(x * 5)), One("leaky_relu", x => F.leaky_relu(x, 0.2)), One("elu", x => F.elu(x, 0.7)), One("selu", x => F.selu(x)),
        One("celu", x => F.celu(x, 1.5)), One("gelu", x => F.gelu(x)), One("gelu by tanh", x => F.gelu(x, "tanh")), One("silu", x => F.silu(x)), One("mish", x => F.mish(x)),
        One("softplus", x => F.softplus(x)), One("softplus with threshold", x => F.softplus(x * 4, 2, 3)), One("softsign", x => F.softsign(x)), One("tanhshrink", x => F.tanhshrink(x)),
        One("hardtanh", x => F.hardtanh(x)), One("hardsigmoid", x => F.hardsigmoid(x * 3)), One("hardswish", x => F.hardswish(x * 3)), One("hardshrink", x => F.hardshrink(x)),
        One("softshrink", x => F.softshrink(x)), One("threshold", x => F.threshold(x, 0.1, 7)), One("glu", x => F.glu(x), () => Sample.Real(2, 4)), One("softmin", x => F.softmin(x, 0)),
        One("prelu", x => F.prelu(x, x.select(0, 0))),
    ];

    private static TestCaseData Two(string name, Func<Tensor, Tensor, Tensor> f, bool positive = false) => new TestCaseData(f, positive).SetName(name);

    private static IEnumerable<TestCaseData> Binary() =>
    [
        Two("atan2", (a, b) => a.atan2(b)), Two("hypot", (a, b) => a.hypot(b)), Two("copysign", (a, b) => a.copysign(b)), Two("xlogy", (a, b) => a.xlogy(b.abs())),
        Two("logaddexp", (a, b) => a.logaddexp(b)), Two("logaddexp2", (a, b) => a.logaddexp2(b)), Two("maximum", (a, b) => a.maximum(b)), Two("minimum", (a, b) => a.minimum(b)),
        Two("fmax", (a, b) => a.fmax(b)), Two("fmin", (a, b) => a.fmin(b)), Two("remainder", (a, b) => a.remainder(b)), Two("fmod", (a, b) => a.fmod(b)),
        Two("pow", (a, b) => a.pow(b), positive: true), Two("number to a power", (a, b) => pow(2.5, a) + b), Two("power with a number", (a, b) => a.pow(1.7) + b, positive: true),
        Two("where", (a, b) => where(a > 0, a, b)), Two("clamp by tensors", (a, b) => a.clamp(b - 1, b + 0.5)), Two("clamp", (a, b) => a.clamp(-0.5, 0.7) * b),
        Two("lerp", (a, b) => a.lerp(b, 0.3)), Two("lerp by a tensor", (a, b) => a.lerp(b, b)), Two("addcmul", (a, b) => a.addcmul(a, b, 0.5)), Two("addcdiv", (a, b) => a.addcdiv(a, b, 0.5)),
        Two("div", (a, b) => a / b), Two("number / tensor", (a, b) => 2 / a - b), Two("ldexp", (a, b) => a.ldexp(b)), Two("dist", (a, b) => a.dist(b)), Two("cdist", (a, b) => cdist(a, b)),
    ];

    [TestCaseSource(nameof(Unary)), TestCaseSource(nameof(Activations))]
    public void DerivativesAgreeWithDifferences(Func<Tensor, Tensor> f, Func<Tensor> input) => Sample.CheckGradients(x => f(x[0]), input());

    [TestCaseSource(nameof(Binary))]
    public void DerivativesOfTwoAgreeWithDifferences(Func<Tensor, Tensor, Tensor> f, bool positive)
    {
        Tensor a = positive ? Sample.Positive(2, 3) : Sample.Real(2, 3), b = (Sample.Real(3, 3).detach() * 0.83).narrow(0, 1, 2).contiguous().requires_grad_();
        Sample.CheckGradients(x => f(x[0], x[1]), a, b);
        Tensor row = (Sample.Real(5).detach() * 0.83).narrow(0, 1, 3).contiguous().reshape(1, 3).requires_grad_();
        Sample.CheckGradients(x => f(x[0], x[1]), a, row);
    }

    [Test]
    public void PowIsSmoothAtZero()
    {
        Tensor x = tensor(new double[] { 0, 0, 2, 3 }).requires_grad_(), p = tensor(new double[] { 0, 2, 0, 1.5 }).requires_grad_();
        x.pow(p).sum().backward();
        Sample.AreClose(x.grad!, [0, 0, 0, 1.5 * Math.Sqrt(3)]);
        Sample.AreClose(p.grad!, [0, 0, Math.Log(2), Math.Pow(3, 1.5) * Math.Log(3)]);
    }

    [Test]
    public void InPlaceActivationsGiveTheSameGradient()
    {
        Tensor x = Sample.Real(2, 3);
        F.silu(x * 1, inplace: true).sum().backward();
        Tensor inPlace = x.grad!;
        x.grad = null;
        F.silu(x * 1).sum().backward();
        Assert.That(allclose(inPlace, x.grad!), Is.True);
    }
}
