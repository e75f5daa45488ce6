using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Tensors to a device, between devices and back.</summary>
public class MovementTests : DeviceFixture
{
    private static readonly ScalarType[] Dtypes = Enum.GetValues<ScalarType>();

    private static Tensor Numbers(params long[] sizes) => arange(Shapes.Count(sizes), dtype: float32).reshape(sizes) - 3;

    [TestCaseSource(nameof(Dtypes))]
    public void There_and_back_is_the_same(ScalarType dtype)
    {
        foreach (long[] sizes in new long[][] { [], [1], [7], [3, 4], [2, 3, 4], [0, 3], [513] })
        {
            Tensor x = Numbers(sizes).to(dtype), y = x.to("cuda"), back = y.cpu();
            Assert.That(y.device, Is.EqualTo(Gpu));
            Assert.That(y.is_cuda);
            Assert.That(back.is_cpu());
            Close.Check(back, x, Error.Shape(sizes), 0);
        }
    }

    [Test]
    public void Layouts_survive_where_they_are_dense_and_values_always()
    {
        Tensor x = Numbers(3, 4, 5);
        Tensor permuted = x.permute(2, 0, 1), there = permuted.to(Gpu);
        Assert.That(there.stride(), Is.EqualTo(permuted.stride()));
        Close.Check(there, permuted, "permuted", 0);
        Close.Check(x[.., 1..3, TensorIndex.Slice(0, 5, 2)].to(Gpu), x[.., 1..3, TensorIndex.Slice(0, 5, 2)], "sliced", 0);
        Close.Check(x.narrow(0, 1, 1).expand(6, 4, 5).to(Gpu), x.narrow(0, 1, 1).expand(6, 4, 5), "expanded", 0);
        Tensor y = x.to(Gpu);
        Close.Check(y.permute(2, 0, 1).cpu(), permuted, "permuted on the device", 0);
        Close.Check(y[.., 1..3, TensorIndex.Slice(0, 5, 2)].cpu(), x[.., 1..3, TensorIndex.Slice(0, 5, 2)], "sliced on the device", 0);
        Close.Check(y.flip(1).cpu(), x.flip(1), "flipped", 0);
    }

    [Test]
    public void The_dtype_may_change_on_the_way()
    {
        Tensor x = Numbers(4, 5);
        foreach (ScalarType from in Dtypes)
            foreach (ScalarType to in Dtypes)
            {
                Close.Check(x.to(from).to(to, Gpu), x.to(from).to(to), $"{from} to {to}", 0);
                Close.Check(x.to(from).to(Gpu).to(to, CPU), x.to(from).to(to), $"{from} back to {to}", 0);
            }
    }

    [Test]
    public void All_spellings_of_to()
    {
        Tensor x = Numbers(3), y = x.to(Gpu);
        Assert.That(x.cuda().device, Is.EqualTo(Gpu));
        Assert.That(x.to("cuda:0").device, Is.EqualTo(Gpu));
        Assert.That(x.to(DeviceType.CUDA).device, Is.EqualTo(Gpu));
        Assert.That(x.to(DeviceType.CUDA, 0).device, Is.EqualTo(Gpu));
        Assert.That(x.to(CUDA).device, Is.EqualTo(Gpu));
        Assert.That(x.to(int64, Gpu).dtype, Is.EqualTo(int64));
        Assert.That(x.to(y.@double()).dtype, Is.EqualTo(float64));
        Assert.That(x.to(y.@double()).device, Is.EqualTo(Gpu));
        Assert.That(x.type_as(y).device, Is.EqualTo(Gpu));
        Assert.That(y.to(Gpu), Is.SameAs(y));
        Assert.That(y.cuda(), Is.SameAs(y));
        Assert.That(y.to(Gpu, copy: true), Is.Not.SameAs(y));
        Assert.That(y.to(DeviceType.CPU).is_cpu());
        Assert.That(y.device_type, Is.EqualTo(DeviceType.CUDA));
        Assert.That(y.device_index, Is.Zero);
        Assert.That(new torch.Device("cuda", 0), Is.EqualTo(new torch.Device(0)));
        Tensor gone = Numbers(2);
        Close.Check(gone.to(Gpu, disposeAfter: true), Numbers(2), "disposeAfter", 0);
        Assert.That(gone.IsInvalid);
    }

    [Test]
    public void Copy_writes_across_devices()
    {
        foreach ((torch.Device from, torch.Device to) in new[] { (CPU, Gpu), (Gpu, CPU), (Gpu, Gpu) })
        {
            Tensor x = Numbers(3, 4).to(from), expected = Numbers(3, 4);
            Close.Check(zeros([3, 4], device: to).copy_(x), expected, "plain", 0);
            Close.Check(zeros([3, 4], float64, to).copy_(x), expected.@double(), "converted", 0);
            Close.Check(zeros([3, 4], int32, to).copy_(x), expected.@int(), "truncated", 0);
            Close.Check(zeros([2, 3, 4], device: to).copy_(x), expected.expand(2, 3, 4), "broadcast", 0);
            Tensor strided = zeros([4, 3], device: to).t();
            Close.Check(strided.copy_(x), expected, "to strides", 0);
            Close.Check(zeros([2, 4], device: to).copy_(x[1..]), expected[1..], "from a part", 0);
            Tensor part = zeros([3, 6], device: to);
            part[.., 1..5] = x;
            Close.Check(part[.., 1..5], expected, "to a part", 0);
            Assert.That(part[0, 0].item<float>(), Is.Zero);
            Close.Check(ones([3], device: to).copy_(tensor(5f, device: from)), full([3], 5f), "a number", 0);
        }
    }

    [Test]
    public void Page_locked_memory_copies_without_waiting()
    {
        Tensor x = Numbers(1000), locked = x.pin_memory();
        Assert.That(locked.is_pinned());
        Assert.That(x.is_pinned(), Is.False);
        Assert.That(locked.pin_memory(), Is.SameAs(locked));
        Close.Check(locked, x, "page-locked", 0);
        Tensor y = locked.to(Gpu, non_blocking: true);
        Tensor back = (y * 2).to(CPU, non_blocking: true);
        Assert.That(back.is_pinned());
        cuda.synchronize();
        Close.Check(back, x * 2, "queued copies", 0);
        Close.Check(zeros_like(y).copy_(locked, non_blocking: true), x, "copy_", 0);
        Assert.That(Assert.Throws<ArgumentException>(() => y.pin_memory())!.Message, Does.Contain("cuda:0"));
        for (int i = 0; i < 50; i++) Close.Check(Numbers(100).pin_memory().to(Gpu, non_blocking: true), Numbers(100), "page-locked memory that dies at once", 0);
    }

    [Test]
    public void Gradients_come_back_to_where_the_tensor_is()
    {
        Tensor x = Numbers(3).requires_grad_(), w = full([3], 2f, device: Gpu, requires_grad: true);
        (x.to(Gpu) * w).sum().backward();
        Assert.That(x.grad!.is_cpu());
        Close.Check(x.grad, full([3], 2f), "dx", 0);
        Close.Check(w.grad!, Numbers(3), "dw", 0);
        Assert.That(w.grad!.device, Is.EqualTo(Gpu));
        Tensor d = Numbers(3).@double().requires_grad_();
        (d.to(float32, Gpu).cpu() * 3).sum().backward();
        Close.Check(d.grad!, full([3], 3.0, float64), "through a conversion", 0);
        Tensor s = Numbers(2).requires_grad_(), target = zeros([2], device: Gpu);
        target.copy_(s);
        (target * target).sum().backward();
        Close.Check(s.grad!, Numbers(2) * 2, "through copy_", 0);
        Tensor p = Numbers(2).requires_grad_();
        p.pin_memory().to(Gpu).sum().backward();
        Close.Check(p.grad!, ones(2), "through pin_memory", 0);
        Assert.Throws<ArgumentException>(() => x.grad = zeros([3], device: Gpu));
        Assert.Throws<ArgumentException>(() => x.to(Gpu).backward(ones(3)));
    }

    [Test]
    public void Second_derivatives_cross_devices_too()
    {
        Tensor x = (Numbers(3).@double() / 3).requires_grad_();
        Assert.That(autograd.gradcheck(a => a[0].to(Gpu).exp().cpu(), [x]));
        Assert.That(autograd.gradgradcheck(a => [a[0].to(Gpu).exp().cpu()], [x]));
        Tensor y = (Numbers(3).@double() / 3).to(Gpu).requires_grad_();
        Assert.That(autograd.gradcheck(a => (a[0] * 2).tanh(), [y]));
    }

    [Test]
    public void A_device_that_is_not_there_is_named()
    {
        Assert.That(Assert.Throws<InvalidOperationException>(() => zeros([1], device: "cuda:99"))!.Message, Does.Contain("[empty]").And.Contain("cuda:99").And.Contain("not available"));
        Assert.Throws<InvalidOperationException>(() => ones(1).to("cuda:99"));
        Assert.Throws<InvalidOperationException>(() => set_default_device("cuda:99"));
        Assert.Throws<InvalidOperationException>(() => cuda.set_device(99));
        Assert.Throws<ArgumentException>(() => cuda.memory_allocated(CPU));
    }

    [Test]
    public void Creation_takes_a_device_by_name_or_by_default()
    {
        Func<torch.Device?, Tensor>[] makers =
        [
            d => zeros([2, 3], device: d), d => ones([2, 3], device: d), d => full([2], 5, device: d), d => arange(7, device: d), d => arange(1, 2, 0.25, device: d),
            d => linspace(0, 1, 5, device: d), d => logspace(0, 1, 5, device: d), d => eye(3, device: d), d => tensor(3.5, null, d), d => tensor([1f, 2f], device: d),
            d => tensor([[1, 2], [3, 4]], device: d), d => tensor(new float[,] { { 1, 2 } }, device: d), d => from_array(new long[] { 1, 2 }, d), d => as_tensor([1.5, 2], device: d),
            d => tensor((Scalar)true, null, d), d => tril_indices(3, 3, device: d), d => empty_strided([2, 2], [1, 2], device: d).zero_(), d => tensor(ones(2), device: d),
            d => tensor(new List<int> { 1, 2, 3 }, float64, d), d => 3f.ToTensor(d),
        ];
        for (int i = 0; i < makers.Length; i++)
        {
            Tensor expected = makers[i](CPU);
            Assert.That(expected.is_cpu());
            Tensor named = makers[i](Gpu);
            Assert.That(named.device, Is.EqualTo(Gpu), $"maker {i}");
            Close.Check(named, expected, $"maker {i}", 0);
        }
        Tensor here = ones(3);
        set_default_device("cuda");
        try
        {
            Assert.That(get_default_device(), Is.EqualTo(Gpu));
            for (int i = 0; i < makers.Length; i++)
                if (i != 17) Assert.That(makers[i](null).device, Is.EqualTo(Gpu), $"maker {i}"); // tensor(Tensor) keeps the device
            Assert.That(rand(2, 3).device, Is.EqualTo(Gpu));
            Assert.That(randn(2).device, Is.EqualTo(Gpu));
            Assert.That(randint(5, [2]).device, Is.EqualTo(Gpu));
            Assert.That(randperm(5).device, Is.EqualTo(Gpu));
            Assert.That(nn.Linear(2, 3).weight!.device, Is.EqualTo(Gpu));
            // What belongs to a tensor stays with it.
            Assert.That(zeros_like(here).is_cpu());
            Assert.That((here + 1).is_cpu());
            Close.Check(here.masked_fill(here > 0, 5), full([3], 5f, device: CPU), "masked_fill", 0);
            Close.Check(here.repeat_interleave(tensor([1L, 0, 2], device: CPU)), ones([3], device: CPU), "repeat_interleave", 0);
            Close.Check(nn.functional.pad(here.reshape(1, 3), [1, 1], PaddingModes.Replicate), ones([1, 5], device: CPU), "pad", 0);
            Close.Check(nn.functional.interpolate(here.reshape(1, 1, 3), [5], mode: InterpolationMode.Linear), ones([1, 1, 5], device: CPU), "interpolate", 1e-6);
            Close.Check(ones([2, 2], device: CPU).tril(), tensor([[1f, 0f], [1f, 1f]], device: CPU), "tril", 0);
            Close.Check(here.unique(return_inverse: true).inverse_indices!, zeros([3], int64, CPU), "unique", 0);
        }
        finally
        {
            set_default_device(CPU);
        }
    }

    [Test]
    public void Current_device_is_per_thread()
    {
        using (cuda.device(0)) Assert.That(cuda.current_device(), Is.Zero);
        if (cuda.device_count() < 2) return;
        using (cuda.device(1))
        {
            Assert.That(zeros([1], device: "cuda").device, Is.EqualTo(new torch.Device(1)));
            int other = -1;
            var thread = new Thread(() => other = cuda.current_device());
            thread.Start();
            thread.Join();
            Assert.That(other, Is.Zero);
        }
        Tensor x = Numbers(5).to("cuda:0"), y = x.to("cuda:1");
        Close.Check(y, Numbers(5), "from device to device", 0);
        Close.Check((y * 2).to("cuda:0") + x, Numbers(5) * 3, "and back", 0);
        Assert.That(Assert.Throws<ArgumentException>(() => _ = x + y)!.Message, Does.Contain("cuda:0 and cuda:1"));
        cuda.set_device(1);
        cuda.set_device(0);
    }
}
