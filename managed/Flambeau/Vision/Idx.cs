using System.Buffers.Binary;
using System.IO.Compression;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>The IDX files of the MNIST family, plain or gzipped. Source: the format's description by Y. LeCun.</summary>
internal static class Idx
{
    /// <summary>All elements as uint8. The sizes in the header are checked against the bytes that follow before a tensor is made.</summary>
    /// <exception cref="InvalidDataException">The file is cut short, has bytes left over, or is not an IDX file of bytes.</exception>
    internal static Tensor Read(string path)
    {
        byte[] bytes = Bytes(path);
        if (bytes.Length < 4 || bytes[0] != 0 || bytes[1] != 0 || bytes[2] != 8)
            throw Error.Data("idx", $"'{path}' is not an IDX file of unsigned bytes");
        int rank = bytes[3], start = 4 + 4 * rank;
        if (rank is < 1 or > Shapes.MaxRank || bytes.Length < start) throw Error.Data("idx", $"'{path}' has a header for {rank} dimensions in {bytes.Length} bytes");
        var sizes = new long[rank];
        for (int i = 0; i < rank; i++) sizes[i] = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(4 + 4 * i));
        if (TensorBytes.Size(sizes, ScalarType.Byte) is not { } count || count != bytes.Length - start)
            throw Error.Data("idx", $"'{path}' says that its shape is {Error.Shape(sizes)}; {bytes.Length - start} bytes follow");
        return FromSpan<byte>("idx", bytes.AsSpan(start), sizes, null, CPU, false);
    }

    private static byte[] Bytes(string path)
    {
        const int most = 1 << 30; // the largest of the family has 4.7e7 bytes
        using FileStream file = File.OpenRead(path);
        if (file.Length < 2) throw Error.Data("idx", $"'{path}' has {file.Length} bytes");
        bool zipped = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        using Stream stream = zipped ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var memory = new MemoryStream();
        var piece = new byte[1 << 16];
        try
        {
            for (int n; (n = stream.Read(piece)) > 0;)
            {
                memory.Write(piece, 0, n);
                if (memory.Length > most) throw Error.Data("idx", $"'{path}' unpacks to more than {most} bytes");
            }
        }
        catch (InvalidDataException e) when (!e.Message.StartsWith('['))
        {
            throw Error.Data("idx", $"'{path}' is damaged: {e.Message}");
        }
        return memory.ToArray();
    }
}
