using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>Elements of tensors to and from streams: row-major, little-endian, in pieces, without a second copy in memory.</summary>
internal static unsafe class TensorBytes
{
    private const int Piece = 1 << 20;

    internal static void Write(Stream stream, Tensor tensor)
    {
        Tensor x;
        using (no_grad()) x = tensor.detach().cpu().contiguous();
        long bytes = x.numel() * x.ElementSize;
        using Borrow b = x.Borrow("save", out flam_tensor v);
        for (long at = 0; at < bytes; at += Piece)
            stream.Write(new ReadOnlySpan<byte>((byte*)v.data + at, (int)Math.Min(Piece, bytes - at)));
    }

    /// <summary>A new tensor on the CPU, filled from the stream.</summary>
    /// <exception cref="InvalidDataException">The stream ends early.</exception>
    internal static Tensor Read(Stream stream, ReadOnlySpan<long> sizes, ScalarType dtype, string what)
    {
        var x = new Tensor(sizes, dtype, CPU);
        long bytes = x.numel() * x.ElementSize;
        using Borrow b = x.Borrow("load", out flam_tensor v);
        for (long at = 0; at < bytes;)
        {
            int n = stream.Read(new Span<byte>((byte*)v.data + at, (int)Math.Min(Piece, bytes - at)));
            if (n == 0) throw Error.Data("load", $"{what} ends after {at} of {bytes} bytes of a tensor of shape {Error.Shape(sizes)}");
            at += n;
        }
        return x;
    }

    /// <summary>Bytes of a tensor of this shape, or null if that is more than any file could hold.</summary>
    internal static long? Size(ReadOnlySpan<long> sizes, ScalarType dtype)
    {
        long bytes = dtype.ElementSize();
        foreach (long n in sizes)
        {
            if (n < 0 || (n > 0 && bytes > long.MaxValue / n)) return null;
            bytes *= n;
        }
        return bytes;
    }
}
