using System.Text;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>
/// TorchSharp's .dat format: the number of entries, then for each its name (length-prefixed UTF-8), dtype, rank, sizes (all LEB128) and
/// elements. Source: TorchSharp's documentation of its exportsd and importsd scripts.
/// </summary>
internal static class DatFile
{
    private const int LongestName = 1 << 16;

    internal static void Write(BinaryWriter writer, IReadOnlyDictionary<string, Tensor> tensors)
    {
        writer.Write7BitEncodedInt64(tensors.Count);
        foreach ((string key, Tensor t) in tensors)
        {
            writer.Write(key);
            WriteTensor(writer, t);
        }
    }

    internal static void WriteTensor(BinaryWriter writer, Tensor t)
    {
        writer.Write7BitEncodedInt64((long)t.dtype);
        writer.Write7BitEncodedInt64(t.sizes.Length);
        foreach (long n in t.sizes) writer.Write7BitEncodedInt64(n);
        writer.Flush();
        TensorBytes.Write(writer.BaseStream, t);
    }

    /// <exception cref="InvalidDataException">The stream is cut short or is not such a file.</exception>
    internal static Dictionary<string, Tensor> Read(Stream stream, string what)
    {
        using var reader = new BinaryReader(stream, Encoding.UTF8, leaveOpen: true);
        return Guarded(what, () =>
        {
            long count = reader.Read7BitEncodedInt64();
            // An entry takes at least a name, a dtype and a rank: three bytes.
            if (count < 0 || count > Left(stream) / 3) throw Error.Data("load", $"{what} says that it has {count} entries; it has {Left(stream)} bytes left");
            var result = new Dictionary<string, Tensor>();
            for (long i = 0; i < count; i++)
            {
                string key = ReadName(reader, what);
                if (!result.TryAdd(key, ReadTensorInner(reader, what))) throw Error.Data("load", $"{what} names '{key}' twice");
            }
            return result;
        });
    }

    internal static Tensor ReadTensor(BinaryReader reader, string what) => Guarded(what, () => ReadTensorInner(reader, what));

    private static T Guarded<T>(string what, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException or DecoderFallbackException)
        {
            throw Error.Data("load", $"{what} is cut short or not a .dat file: {e.Message}");
        }
    }

    private static string ReadName(BinaryReader reader, string what)
    {
        int length = reader.Read7BitEncodedInt();
        if (length < 0 || length > LongestName || length > Left(reader.BaseStream)) throw Error.Data("load", $"{what} has a name of {length} bytes; {Left(reader.BaseStream)} are left");
        byte[] bytes = reader.ReadBytes(length);
        if (bytes.Length != length) throw new EndOfStreamException();
        return Encoding.UTF8.GetString(bytes);
    }

    private static Tensor ReadTensorInner(BinaryReader reader, string what)
    {
        long code = reader.Read7BitEncodedInt64(), rank = reader.Read7BitEncodedInt64();
        if (code is < sbyte.MinValue or > sbyte.MaxValue || !Enum.IsDefined((ScalarType)code)) throw Error.Data("load", $"{what} has a tensor of dtype number {code}, which Flambeau does not have");
        if (rank < 0 || rank > Shapes.MaxRank) throw Error.Data("load", $"{what} has a tensor of {rank} dimensions; {Shapes.MaxRank} is the most");
        var sizes = new long[rank];
        for (int i = 0; i < rank; i++) sizes[i] = reader.Read7BitEncodedInt64();
        if (TensorBytes.Size(sizes, (ScalarType)code) is not { } bytes || bytes > Left(reader.BaseStream))
            throw Error.Data("load", $"{what} has a tensor of shape {Error.Shape(sizes)} but only {Left(reader.BaseStream)} bytes left");
        return TensorBytes.Read(reader.BaseStream, sizes, (ScalarType)code, what);
    }

    private static long Left(Stream stream) => stream.CanSeek ? stream.Length - stream.Position : long.MaxValue;
}
