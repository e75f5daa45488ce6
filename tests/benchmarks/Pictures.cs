using System.IO.Compression;

namespace Benchmarks;

/// <summary>The training images of Fashion-MNIST where Debian's dataset-fashion-mnist is installed, random bytes elsewhere.</summary>
internal static class Pictures
{
    internal const float Mean = 0.2860f, Deviation = 0.3530f;
    private const string Folder = "/usr/share/datasets/fashion-mnist";
    private const int Count = 60_000, Size = 28 * 28;

    internal static (byte[] Pixels, long[] Labels) Load()
    {
        var pixels = new byte[Count * Size];
        var labels = new byte[Count];
        if (Directory.Exists(Folder))
        {
            Read("train-images-idx3-ubyte.gz", 16, pixels);
            Read("train-labels-idx1-ubyte.gz", 8, labels);
        }
        else
        {
            new Random(1).NextBytes(pixels);
        }
        return (pixels, Array.ConvertAll(labels, b => (long)b));
    }

    // IDX: a header of magic number and sizes, then bytes.
    private static void Read(string file, int header, byte[] into)
    {
        using var stream = new GZipStream(File.OpenRead(Path.Combine(Folder, file)), CompressionMode.Decompress);
        stream.ReadExactly(new byte[header]);
        stream.ReadExactly(into);
    }

    /// <summary>A coin for each image that both libraries see fall the same way.</summary>
    internal static bool Mirrored(long index) => (uint)index * 2654435761u >> 31 == 1;
}
