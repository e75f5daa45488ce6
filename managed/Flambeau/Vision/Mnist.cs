using System.Security.Cryptography;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>Computer vision: datasets.</summary>
public static partial class torchvision
{
    /// <summary>A function of an image, for example a normalisation.</summary>
    public interface ITransform
    {
        Tensor call(Tensor input);
    }

    public static partial class datasets
    {
        /// <summary>Handwritten digits: 60,000 training and 10,000 test images of 28 by 28, ten classes.</summary>
        /// <param name="root">Folder with the four IDX files (plain or .gz), or one that has them in MNIST/raw; downloads go there.</param>
        /// <param name="train">Training or test images.</param>
        /// <param name="download">Fetch files that are not there; each is checked against its known MD5.</param>
        /// <param name="target_transform">Applied to each image, which comes as float32 [1, 28, 28] in 0 to 1.</param>
        /// <exception cref="FileNotFoundException">A file is not there and download is false.</exception>
        /// <exception cref="InvalidDataException">A file is damaged or not what it should be.</exception>
        public static utils.data.Dataset MNIST(string root, bool train, bool download = false, ITransform? target_transform = null) =>
            new MnistLike("MNIST", root, train, download, target_transform);

        /// <summary>Zalando's images of clothes, of the same form as MNIST. The folder of Debian's package dataset-fashion-mnist is found by itself.</summary>
        public static utils.data.Dataset FashionMNIST(string root, bool train, bool download = false, ITransform? target_transform = null) =>
            new MnistLike("FashionMNIST", root, train, download, target_transform);

        /// <summary>Cursive Japanese characters, of the same form as MNIST.</summary>
        public static utils.data.Dataset KMNIST(string root, bool train, bool download = false, ITransform? target_transform = null) =>
            new MnistLike("KMNIST", root, train, download, target_transform);
    }
}

/// <summary>Datasets of the MNIST family: samples {"data": float32 [1, 28, 28], "label": int64 []}.</summary>
internal sealed class MnistLike : utils.data.Dataset
{
    private const string DebianFolder = "/usr/share/datasets/fashion-mnist";

    private sealed record Source(string[] Mirrors, Dictionary<string, string> Md5);

    // Mirrors and checksums as torchvision lists them.
    private static readonly Dictionary<string, Source> Sources = new()
    {
        ["MNIST"] = new(["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"], new()
        {
            ["train-images-idx3-ubyte"] = "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            ["train-labels-idx1-ubyte"] = "d53e105ee54ea40749a09fcbcd1e9432",
            ["t10k-images-idx3-ubyte"] = "9fb629c4189551a2d022fa330f9573f3",
            ["t10k-labels-idx1-ubyte"] = "ec29112dd5afa0611ce80d1b7f02629c",
        }),
        ["FashionMNIST"] = new(["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"], new()
        {
            ["train-images-idx3-ubyte"] = "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            ["train-labels-idx1-ubyte"] = "25c81989df183df01b3e8a0aad5dffbe",
            ["t10k-images-idx3-ubyte"] = "bef4ecab320f06d8554ea6380940ec79",
            ["t10k-labels-idx1-ubyte"] = "bb300cfdad3c16e7a12a480ee83cd310",
        }),
        ["KMNIST"] = new(["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"], new()
        {
            ["train-images-idx3-ubyte"] = "bdb82020997e1d708af4cf47b453dcf7",
            ["train-labels-idx1-ubyte"] = "e144d726b3acfaa3e44228e80efcd344",
            ["t10k-images-idx3-ubyte"] = "5c965bf0a639b31b8f53240b1b52f4d7",
            ["t10k-labels-idx1-ubyte"] = "7320c461ea6c1c855c0b718fb2a4b134",
        }),
    };

    private readonly Tensor images; // uint8 [n, 28, 28]
    private readonly Tensor labels; // int64 [n]
    private readonly torchvision.ITransform? transform;

    internal MnistLike(string name, string root, bool train, bool download, torchvision.ITransform? transform)
    {
        ArgumentNullException.ThrowIfNull(root);
        this.transform = transform;
        string prefix = train ? "train" : "t10k";
        string imageFile = Locate(name, root, $"{prefix}-images-idx3-ubyte", download), labelFile = Locate(name, root, $"{prefix}-labels-idx1-ubyte", download);
        images = Idx.Read(imageFile);
        Tensor bytes = Idx.Read(labelFile);
        if (images.rank != 3) throw Error.Data(name, $"'{imageFile}' has shape {Error.Shape(images.sizes)}, expected [images, rows, columns]");
        if (bytes.rank != 1 || bytes.sizes[0] != images.sizes[0])
            throw Error.Data(name, $"'{labelFile}' has shape {Error.Shape(bytes.sizes)}, expected one label for each of {images.sizes[0]} images");
        labels = bytes.to(ScalarType.Int64);
    }

    public override long Count => images.sizes[0];

    public override Dictionary<string, Tensor> GetTensor(long index)
    {
        Tensor image = images.select(0, index).unsqueeze(0).to(ScalarType.Float32).div_(255.0); // [1, 28, 28]
        return new() { ["data"] = transform is null ? image : transform.call(image), ["label"] = labels.select(0, index) };
    }

    private static string Locate(string name, string root, string file, bool download)
    {
        string[] folders = [root, Path.Combine(root, name, "raw"), .. name == "FashionMNIST" ? [DebianFolder] : Array.Empty<string>()];
        foreach (string folder in folders)
            foreach (string candidate in new[] { Path.Combine(folder, file), Path.Combine(folder, file + ".gz") })
                if (File.Exists(candidate)) return candidate;
        if (!download)
            throw new FileNotFoundException(
                $"[{name}] '{file}' or '{file}.gz' is in none of {string.Join(", ", folders)}. Pass download: true, or the folder that has it"
                + (name == "FashionMNIST" ? ", or install Debian's dataset-fashion-mnist." : "."), file);
        return Fetch(name, Path.Combine(root, name, "raw"), file + ".gz", Sources[name].Md5[file]);
    }

    private static string Fetch(string name, string folder, string file, string md5)
    {
        Directory.CreateDirectory(folder);
        string target = Path.Combine(folder, file);
        var failures = new List<string>();
        using var client = new HttpClient { Timeout = TimeSpan.FromMinutes(10) };
        foreach (string mirror in Sources[name].Mirrors)
        {
            try
            {
                byte[] bytes = client.GetByteArrayAsync(new Uri(mirror + file)).GetAwaiter().GetResult();
#pragma warning disable CA5351 // the published checksums are MD5; they guard against damage, not against forgery
                string actual = Convert.ToHexStringLower(MD5.HashData(bytes));
#pragma warning restore CA5351
                if (actual != md5) throw Error.Data(name, $"'{mirror}{file}' has MD5 {actual}, expected {md5}");
                AtomicFile.Write(target, s => s.Write(bytes));
                return target;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or InvalidDataException)
            {
                failures.Add(e.Message);
            }
        }
        throw new IOException($"[{name}] '{file}' could not be downloaded: {string.Join("; ", failures)}");
    }
}
