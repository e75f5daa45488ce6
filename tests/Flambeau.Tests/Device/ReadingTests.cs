using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Values of tensors on a device, read, printed, compared, saved and loaded as those of the CPU.</summary>
public class ReadingTests : DeviceFixture
{
    private static readonly Tensor Here = arange(6, dtype: float32).reshape(2, 3) / 4;
    private static Tensor There => Here.to(Gpu);

    [Test]
    public void Single_values()
    {
        Assert.That(There[1, 2].item<float>(), Is.EqualTo(1.25f));
        Assert.That(There[1, 2].item().ToDouble(), Is.EqualTo(1.25));
        Assert.That((double)There[0, 1], Is.EqualTo(0.25));
        Assert.That(There.@long()[1, 2].ToInt64(), Is.EqualTo(1));
        Assert.That((There > 10).any().item<bool>(), Is.False);
        Assert.That((There >= 0).all().ToBoolean());
        Assert.That(There.half()[1, 2].item<Half>(), Is.EqualTo((Half)1.25f));
        Assert.That(There.bfloat16()[1, 2].ToSingle(), Is.EqualTo(1.25f));
        Assert.That(tensor(7L, device: Gpu).item<long>(), Is.EqualTo(7));
        Assert.Throws<ArgumentException>(() => There.item());
        Assert.Throws<ArgumentException>(() => There[0, 0].item<int>());
    }

    [Test]
    public void Arrays()
    {
        Assert.That(There.data<float>().ToArray(), Is.EqualTo(Here.data<float>().ToArray()));
        Assert.That(There.t().data<float>().ToArray(), Is.EqualTo(Here.t().data<float>().ToArray()));
        Assert.That(There.data<float>().ToNDArray(), Is.EqualTo(Here.data<float>().ToNDArray()));
        Assert.That(There.data<float>()[1, 1], Is.EqualTo(1));
        Assert.That(There.data<float>(), Is.EqualTo(Here.data<float>().ToArray()));
        var room = new float[6];
        There.CopyTo(room);
        Assert.That(room, Is.EqualTo(Here.data<float>().ToArray()));
        There[.., 1..].CopyTo(room.AsSpan(0, 4));
        Assert.That(room[..4], Is.EqualTo(Here[.., 1..].data<float>().ToArray()));
        Assert.That(There.tolist(), Is.EqualTo(Here.tolist()));
        Assert.That(There.storage<float>().ToArray(), Is.EqualTo(Here.storage<float>().ToArray()));
        Assert.That(zeros([0], device: Gpu).data<float>().ToArray(), Is.Empty);
        Assert.That(There.ReadCpuSingle(2), Is.EqualTo(0.5f));
    }

    [Test]
    public void Single_elements_cannot_be_written_through_an_accessor()
    {
        Assert.That(There.data<float>().IsReadOnly);
        Assert.That(Assert.Throws<InvalidOperationException>(() => There.data<float>()[0] = 1)!.Message, Does.Contain("cuda:0").And.Contain("copy_"));
        Assert.Throws<InvalidOperationException>(() => There.data<float>().CopyFrom([1f]));
        Assert.Throws<InvalidOperationException>(() => _ = There.bytes);
        Assert.Throws<InvalidOperationException>(() => There.WithSpan<float>(s => s[0] = 1));
        Tensor x = zeros([2], device: Gpu);
        x.bytes = new byte[] { 0, 0, 128, 63, 0, 0, 0, 64 };
        Assert.That(x.data<float>().ToArray(), Is.EqualTo(new[] { 1f, 2f }));
    }

    [Test]
    public void Text_names_the_device()
    {
        Assert.That(There.ToString(), Is.EqualTo(Here.ToString()[..^1] + ", device='cuda:0')"));
        Assert.That(There.str(style: TensorStringStyle.Numpy), Is.EqualTo(Here.str(style: TensorStringStyle.Numpy)));
        Assert.That(There.metastr(), Does.Contain("device = cuda:0"));
        Tensor large = arange(5000, device: Gpu);
        Assert.That(large.ToString(), Is.EqualTo(arange(5000).ToString()[..^1] + ", device='cuda:0')"));
        Assert.That(tensor(1.5f, device: Gpu, requires_grad: true).ToString(), Is.EqualTo("tensor(1.5000, device='cuda:0', requires_grad=True)"));
    }

    [Test]
    public void Equality()
    {
        Assert.That(There.Equals(Here.to(Gpu)));
        Assert.That(There.Equals(Here), Is.False);
        Assert.That(There.equal(Here.to(Gpu)).item<bool>());
        Assert.That(allclose(There, Here.to(Gpu) + 1e-9f));
        Assert.That(There.is_contiguous());
        Assert.That(is_nonzero(There[0, 1]));
    }

    [TestCase("state.safetensors")]
    [TestCase("state.dat")]
    public void Modules_save_and_load_on_any_device(string name)
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("flambeau-device").FullName, name);
        var net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4));
        net.to(Gpu);
        net.call(randn([5, 3], device: Gpu));
        net.save(file);
        var onCpu = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4));
        onCpu.load(file);
        foreach ((string key, Tensor t) in net.state_dict()) Close.Check(onCpu.state_dict()[key], t, key, 0);
        var onGpu = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).to(Gpu);
        onGpu.load(file);
        Assert.That(onGpu.parameters().All(p => p.device == Gpu));
        net.eval();
        onGpu.eval();
        Tensor x = ones([2, 3], device: Gpu);
        Close.Check(onGpu.call(x), net.call(x), "loaded", 0);
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    [Test]
    public void Tensors_save_and_load_to_a_device()
    {
        string folder = Directory.CreateTempSubdirectory("flambeau-device").FullName, dat = Path.Combine(folder, "x.dat"), safe = Path.Combine(folder, "x.safetensors");
        There.t().save(dat);
        Close.Check(load(dat), Here.t(), ".dat", 0);
        Assert.That(load(dat).is_cpu());
        Assert.That(load(dat, "cuda").device, Is.EqualTo(Gpu));
        torch.utils.safetensors.save_file(new Dictionary<string, Tensor> { ["a"] = There, ["b"] = There.@long() }, safe);
        Dictionary<string, Tensor> all = torch.utils.safetensors.load_file(safe, Gpu);
        Assert.That(all["a"].device, Is.EqualTo(Gpu));
        Close.Check(all["a"], Here, "safetensors", 0);
        Close.Check(torch.utils.safetensors.load_file(safe)["b"], Here.@long(), "safetensors", 0);
        Directory.Delete(folder, recursive: true);
    }
}
