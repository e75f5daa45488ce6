using System.Text;
using static Flambeau.torch;

namespace Flambeau.Tests;

public class FileTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("flambeau").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    private string At(string name) => Path.Combine(folder, name);

    private static Dictionary<string, Tensor> Everything() => Enum.GetValues<ScalarType>().ToDictionary(t => $"tensor of {t.name()}", t => arange(6).reshape(2, 3).to(t));

    private static void Same(Dictionary<string, Tensor> actual, Dictionary<string, Tensor> expected)
    {
        Assert.That(actual.Keys, Is.EqualTo(expected.Keys).AsCollection);
        foreach ((string key, Tensor t) in expected) Close.Check(actual[key], t, key, 0);
    }

    [Test]
    public void Safetensors_keep_every_dtype_shape_and_metadata()
    {
        Dictionary<string, Tensor> tensors = Everything();
        tensors["ünïcode"] = zeros([0, 3]);
        tensors["scalar"] = full([], 2.5);
        tensors["transposed"] = arange(6).reshape(2, 3).transpose(0, 1);
        utils.safetensors.save_file(tensors, At("a.safetensors"), new Dictionary<string, string> { ["format"] = "pt" });
        Same(utils.safetensors.load_file(At("a.safetensors")), tensors);
        Assert.That(utils.safetensors.load_metadata(At("a.safetensors"))["format"], Is.EqualTo("pt"));
        Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(1), "no temporary file stays");
    }

    [Test]
    public void Every_truncation_of_a_safetensors_file_is_a_typed_exception()
    {
        utils.safetensors.save_file(new Dictionary<string, Tensor> { ["a"] = ones([3]), ["b"] = ones([2, 2]) }, At("a.safetensors"));
        byte[] whole = File.ReadAllBytes(At("a.safetensors"));
        for (int n = 0; n < whole.Length; n++)
        {
            File.WriteAllBytes(At("cut"), whole[..n]);
            Assert.That(Assert.Throws<InvalidDataException>(() => utils.safetensors.load_file(At("cut")), $"{n} bytes")!.Message, Does.StartWith("[safetensors]"));
        }
    }

    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[1000000000000],\"data_offsets\":[0,4]}}")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]}}")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,400]}}")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}")]
    [TestCase("{\"a\":{\"dtype\":\"F8\",\"shape\":[1],\"data_offsets\":[0,4]}}")]
    [TestCase("{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":\"x\",\"data_offsets\":[0,4]}}")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}")]
    [TestCase("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}")]
    [TestCase("{\"a\":5}")]
    [TestCase("[]")]
    [TestCase("{\"a\":")]
    public void A_lying_safetensors_header_is_refused_before_anything_is_allocated(string header)
    {
        using (var writer = new BinaryWriter(File.Create(At("bad"))))
        {
            byte[] text = Encoding.UTF8.GetBytes(header);
            writer.Write((long)text.Length);
            writer.Write(text);
            writer.Write(1f);
        }
        long before = GC.GetTotalAllocatedBytes();
        Assert.Throws<InvalidDataException>(() => utils.safetensors.load_file(At("bad")));
        Assert.That(GC.GetTotalAllocatedBytes() - before, Is.LessThan(1 << 22));
    }

    [Test]
    public void A_tensor_saved_as_dat_reads_back()
    {
        foreach ((_, Tensor t) in Everything())
        {
            t.save(At("t.dat"));
            Close.Check(Tensor.load(At("t.dat")), t, t.dtype.name(), 0);
        }
    }

    [Test]
    public void Modules_save_and_load_in_both_formats()
    {
        foreach (string name in new[] { "m.dat", "m.safetensors" })
        {
            var a = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2));
            var b = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2));
            a.save(At(name));
            b.load(At(name));
            Same(b.state_dict(), a.state_dict());
            a.eval();
            b.eval();
            Tensor x = randn([5, 3]);
            Close.Check(b.call(x), a.call(x), name, 0);
        }
    }

    [Test]
    public void Every_truncation_of_a_dat_file_is_a_typed_exception()
    {
        nn.Linear(3, 2).save(At("m.dat"));
        byte[] whole = File.ReadAllBytes(At("m.dat"));
        for (int n = 0; n < whole.Length; n++)
        {
            File.WriteAllBytes(At("cut"), whole[..n]);
            Assert.Throws<InvalidDataException>(() => nn.Linear(3, 2).load(At("cut")), $"{n} bytes");
        }
    }

    [Test]
    public void Random_bytes_never_crash_a_reader()
    {
        var random = new Random(3);
        for (int i = 0; i < 2000; i++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            if (bytes.Length > 8 && i % 2 == 0) bytes.AsSpan(1, 7).Clear();
            File.WriteAllBytes(At("noise"), bytes);
            Refused(() => utils.safetensors.load_file(At("noise")));
            Refused(() => nn.Linear(3, 2).load(At("noise")));
            Refused(() => Idx.Read(At("noise")));
        }

        static void Refused(Action read)
        {
            try
            {
                read();
            }
            catch (Exception e) when (e is InvalidDataException or InvalidOperationException)
            {
            }
        }
    }

    [Test]
    public void Idx_files_are_checked_against_their_size()
    {
        byte[] good = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
        File.WriteAllBytes(At("good"), good);
        Assert.That(Idx.Read(At("good")).sizes, Is.EqualTo(new long[] { 2, 3 }));
        for (int n = 0; n < good.Length; n++)
        {
            File.WriteAllBytes(At("cut"), good[..n]);
            Assert.Throws<InvalidDataException>(() => Idx.Read(At("cut")));
        }
        File.WriteAllBytes(At("long"), [.. good, 7]);
        Assert.Throws<InvalidDataException>(() => Idx.Read(At("long")));
        File.WriteAllBytes(At("lying"), [0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
        Assert.That(Assert.Throws<InvalidDataException>(() => Idx.Read(At("lying")))!.Message, Does.Contain("4294967295"));
    }

    [Test]
    public void A_failed_save_leaves_the_old_file()
    {
        Tensor good = ones([3]), disposed = ones([3]);
        utils.safetensors.save_file(new Dictionary<string, Tensor> { ["a"] = good }, At("a.safetensors"));
        disposed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => utils.safetensors.save_file(new Dictionary<string, Tensor> { ["a"] = good, ["b"] = disposed }, At("a.safetensors")));
        Assert.That(utils.safetensors.load_file(At("a.safetensors")).Keys, Is.EqualTo(new[] { "a" }));
        Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(1));
    }

    [Test]
    public void Missing_datasets_say_where_they_were_looked_for()
    {
        FileNotFoundException e = Assert.Throws<FileNotFoundException>(() => torchvision.datasets.MNIST(folder, train: true))!;
        Assert.That(e.Message, Does.Contain(folder).And.Contain("train-images-idx3-ubyte"));
    }
}
