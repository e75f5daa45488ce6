using static Flambeau.torch;
using static Flambeau.torch.nn.functional;

namespace Flambeau.Tests;

/// <summary>Numbers on the CPU go with tensors on a device; everything else on two devices is refused early, by name.</summary>
public class MixedDeviceTests : DeviceFixture
{
    private static readonly Tensor Here = arange(6, dtype: float32).reshape(2, 3) - 2;

    [Test]
    public void Zero_dimensional_tensors_of_the_CPU_are_numbers()
    {
        Tensor x = Here.to(Gpu), n = tensor(1.5f), i = tensor(2);
        (string, Func<Tensor, Tensor>)[] ops =
        [
            ("x + n", t => t + n), ("n + x", t => n + t), ("x - n", t => t - n), ("n - x", t => n - t), ("x * n", t => t * n), ("x / n", t => t / n), ("n / x", t => n / (t + 10)),
            ("x < n", t => t < n), ("n == x", t => n == t), ("x ** n", t => (t + 3).pow(n)), ("maximum", t => t.maximum(n)), ("atan2", t => n.atan2(t)), ("int", t => t * i),
            ("where", t => where(t > 0, t, n)), ("where 2", t => where(t > 0, n, tensor(0f))), ("clamp", t => t.clamp(tensor(-1f), n)), ("lerp", t => t.lerp(t * 2, n)),
            ("addcmul", t => t.addcmul(n, t, 2)), ("masked_fill", t => t.masked_fill(t > 0, n)), ("index_fill", t => t.index_fill(1, tensor([1L], device: t.device), n)),
            ("add_", t => t.clone().add_(n)), ("mul_", t => t.clone().mul_(i)), ("fill_", t => t.clone().fill_(n)), ("isclose", t => t.isclose(n)), ("remainder", t => t.remainder(n)),
            ("add alpha", t => t.add(n, 3)), ("logical_and", t => t.logical_and(n)), ("x + 0-dim", t => t[0, 0] + n), ("0-dim + x", t => n + t[0, 0]), ("copysign", t => t.copysign(n)),
        ];
        foreach ((string name, Func<Tensor, Tensor> f) in ops) Close.Check(OnGpu(f(x), name), f(Here), name);
    }

    private static Tensor OnGpu(Tensor y, string name)
    {
        Assert.That(y.device, Is.EqualTo(Gpu), name);
        return y;
    }

    [Test]
    public void Gradients_of_such_numbers_come_back_to_the_CPU()
    {
        Tensor scale = tensor(2f).requires_grad_(), shift = tensor(1.0).requires_grad_(), x = Here.to(Gpu).requires_grad_();
        ((x * scale + shift.@float()) / scale).square().sum().backward();
        Tensor a = tensor(2f).requires_grad_(), b = tensor(1.0).requires_grad_(), y = Here.clone().requires_grad_();
        ((y * a + b.@float()) / a).square().sum().backward();
        Assert.That(scale.grad!.is_cpu());
        Assert.That(shift.grad!.dtype, Is.EqualTo(float64));
        Close.Check(scale.grad, a.grad!, "scale");
        Close.Check(shift.grad, b.grad!, "shift", 1e-5);
        Close.Check(x.grad!, y.grad!, "x");
    }

    [Test]
    public void Numbers_of_the_device_do_not_go_with_tensors_of_the_CPU()
    {
        Assert.That(Assert.Throws<ArgumentException>(() => _ = Here + tensor(1f, device: Gpu))!.Message, Is.EqualTo("[add] tensors are on cpu and cuda:0"));
        Assert.Throws<ArgumentException>(() => tensor(1f).add_(tensor(1f, device: Gpu)));
        Assert.Throws<ArgumentException>(() => tensor(1f).add_(tensor([1f], device: Gpu)));
        Assert.Throws<ArgumentException>(() => Here.clone().mul_(Here.to(Gpu)));
        Assert.Throws<ArgumentException>(() => Here.clone().masked_fill_((Here > 0).to(Gpu), 1));
    }

    private static IEnumerable<TestCaseData> Families()
    {
        TestCaseData Case(string name, Func<Tensor, Tensor, object?> f, long[]? first = null, long[]? second = null) => new TestCaseData(f, first ?? [2, 3], second ?? [2, 3]).SetArgDisplayNames(name);
        yield return Case("add", (a, b) => a + b);
        yield return Case("sub_", (a, b) => a.sub_(b));
        yield return Case("div", (a, b) => a.div(b, RoundingMode.floor));
        yield return Case("compare", (a, b) => a > b);
        yield return Case("logical", (a, b) => a.logical_or(b));
        yield return Case("where", (a, b) => where(a > 0, a, b));
        yield return Case("where mask", (a, b) => where(b > 0, a, a));
        yield return Case("lerp", (a, b) => a.lerp(b, a));
        yield return Case("addcdiv", (a, b) => a.addcdiv(b, a));
        yield return Case("clamp", (a, b) => a.clamp(b, a));
        yield return Case("matmul", (a, b) => a.matmul(b), [2, 3], [3, 2]);
        yield return Case("bmm", (a, b) => a.bmm(b), [1, 2, 3], [1, 3, 2]);
        yield return Case("mv", (a, b) => a.mv(b), [2, 3], [3]);
        yield return Case("dot", (a, b) => a.dot(b), [3], [3]);
        yield return Case("addmm", (a, b) => a.addmm(b, b.t()), [2, 2], [2, 3]);
        yield return Case("einsum", (a, b) => einsum("ij,ij->i", a, b));
        yield return Case("tensordot", (a, b) => tensordot(a, b, 1), [2, 3], [3, 2]);
        yield return Case("linear", (a, b) => linear(a, b));
        yield return Case("linear bias", (a, b) => linear(a, ones([4, 3], device: a.device), b), [2, 3], [4]);
        yield return Case("bilinear", (a, b) => bilinear(a, b, ones([1, 3, 3], device: a.device)));
        yield return Case("conv1d", (a, b) => conv1d(a, b), [1, 2, 5], [3, 2, 2]);
        yield return Case("conv2d", (a, b) => conv2d(a, b), [1, 2, 5, 5], [3, 2, 2, 2]);
        yield return Case("conv2d bias", (a, b) => conv2d(a, ones([3, 2, 2, 2], device: a.device), b), [1, 2, 5, 5], [3]);
        yield return Case("conv_transpose2d", (a, b) => conv_transpose2d(a, b), [1, 2, 3, 3], [2, 1, 2, 2]);
        yield return Case("layer_norm", (a, b) => layer_norm(a, [3], b), [2, 3], [3]);
        yield return Case("group_norm", (a, b) => group_norm(a, 1, b), [2, 3, 2], [3]);
        yield return Case("batch_norm", (a, b) => batch_norm(a, b, b, training: true), [2, 3], [3]);
        yield return Case("prelu", (a, b) => a.prelu(b), [2, 3], [3]);
        yield return Case("cat", (a, b) => cat([a, b]));
        yield return Case("stack", (a, b) => stack([a, b]));
        yield return Case("gather", (a, b) => a.gather(0, b.@long() * 0));
        yield return Case("scatter", (a, b) => a.scatter(0, b.@long() * 0, b));
        yield return Case("scatter_add", (a, b) => a.scatter_add(0, a.@long() * 0, b));
        yield return Case("index_select", (a, b) => a.index_select(0, b.@long() * 0), [2, 3], [4]);
        yield return Case("index_add", (a, b) => a.index_add(0, tensor([0L, 1], device: a.device), b));
        yield return Case("index_copy", (a, b) => a.index_copy(0, tensor([0L, 1], device: a.device), b));
        yield return Case("index_put value", (a, b) => a.index_put_([tensor([0L, 1], device: a.device)], b));
        yield return Case("take", (a, b) => a.take(b.@long() * 0));
        yield return Case("masked_select", (a, b) => a.masked_select(b > 0));
        yield return Case("masked_fill", (a, b) => a.masked_fill(b > 0, 1));
        yield return Case("masked_scatter", (a, b) => a.masked_scatter(a > 0, b));
        yield return Case("take_along_dim", (a, b) => a.take_along_dim(b.@long() * 0, 0));
        yield return Case("embedding", (a, b) => embedding(a.@long() * 0, b));
        yield return Case("searchsorted", (a, b) => searchsorted(a.sort().Values, b));
        yield return Case("isin", (a, b) => a.isin(b));
        yield return Case("repeat_interleave", (a, b) => a.repeat_interleave(b.@long().abs(), 0), [2, 3], [2]);
        yield return Case("bincount", (a, b) => a.@long().abs().bincount(b), [3], [3]);
        yield return Case("mse_loss", (a, b) => mse_loss(a, b));
        yield return Case("bce", (a, b) => binary_cross_entropy(a.sigmoid(), b.sigmoid()));
        yield return Case("bce_with_logits", (a, b) => binary_cross_entropy_with_logits(a, b.sigmoid()));
        yield return Case("cross_entropy", (a, b) => cross_entropy(a, b.@long().abs() * 0), [2, 3], [2]);
        yield return Case("nll_loss", (a, b) => nll_loss(a, b.@long().abs() * 0), [2, 3], [2]);
        yield return Case("kl_div", (a, b) => kl_div(a, b));
        yield return Case("cdist", (a, b) => cdist(a, b));
        yield return Case("cosine_similarity", (a, b) => cosine_similarity(a, b));
        yield return Case("cross", (a, b) => a.cross(b));
        yield return Case("kron", (a, b) => a.kron(b));
        yield return Case("equal", (a, b) => a.equal(b));
        yield return Case("allclose", (a, b) => allclose(a, b));
        yield return Case("scaled_dot_product_attention", (a, b) => scaled_dot_product_attention(a, b, b), [1, 2, 3], [1, 2, 3]);
        yield return Case("max_unpool1d", (a, b) => max_unpool1d(a, b.@long() * 0, 2), [1, 1, 2], [1, 1, 2]);
        yield return Case("quantile", (a, b) => a.quantile(b.sigmoid()), [5], [2]);
    }

    [TestCaseSource(nameof(Families))]
    public void Two_devices_are_refused(Func<Tensor, Tensor, object?> op, long[] first, long[] second)
    {
        Tensor a = arange(Shapes.Count(first), dtype: float32).reshape(first) - 1, b = arange(Shapes.Count(second), dtype: float32).reshape(second) - 1;
        ArgumentException e = Assert.Throws<ArgumentException>(() => op(a, b.to(Gpu)))!;
        Assert.That(e.Message, Does.Match(@"^\[\w+\] tensors are on (cpu and cuda:0|cuda:0 and cpu)$"));
        e = Assert.Throws<ArgumentException>(() => op(a.to(Gpu), b))!;
        Assert.That(e.Message, Does.Match(@"^\[\w+\] tensors are on (cpu and cuda:0|cuda:0 and cpu)$"));
        Assert.DoesNotThrow(() => op(a.to(Gpu), b.to(Gpu)));
    }

    [Test]
    public void Indices_may_be_on_the_CPU()
    {
        Tensor x = Here.to(Gpu), rows = tensor([1L, 0, 1]), mask = Here > 0;
        Close.Check(OnGpu(x[rows], "rows"), Here[rows], "rows", 0);
        Close.Check(OnGpu(x[TensorIndex.Colon, rows], "columns"), Here[TensorIndex.Colon, rows], "columns", 0);
        Close.Check(OnGpu(x[mask], "mask"), Here[mask], "mask", 0);
        Close.Check(OnGpu(x[mask.to(Gpu)], "mask there"), Here[mask], "mask there", 0);
        Close.Check(OnGpu(x[tensor(1), tensor([2L, 0])], "both"), Here[tensor(1), tensor([2L, 0])], "both", 0);
        Close.Check(OnGpu(x[1, 2], "numbers"), Here[1, 2], "numbers", 0);
        Close.Check(OnGpu(x[TensorIndex.Bool(true)], "bool"), Here[TensorIndex.Bool(true)], "bool", 0);
        Tensor y = x.clone(), z = Here.clone();
        foreach (Tensor t in new[] { y, z })
        {
            t[0, 1] = 7;
            t[1] = 3.5f;
            t[mask] = -1;
            t[tensor([0L]), tensor([2L])] = 9;
            t[.., 0] = tensor([4f, 5f]);
        }
        Close.Check(y, z, "assigned", 0);
        Assert.That(Assert.Throws<ArgumentException>(() => _ = Here[rows.to(Gpu)])!.Message, Does.Contain("tensors are on cpu and cuda:0"));
        Assert.Throws<ArgumentException>(() => _ = Here[mask.to(Gpu)]);
        Tensor leaf = Here.to(Gpu).requires_grad_(), same = Here.clone().requires_grad_();
        (leaf[rows] * 2).sum().backward();
        (same[rows] * 2).sum().backward();
        Close.Check(leaf.grad!, same.grad!, "gradient", 0);
    }
}
