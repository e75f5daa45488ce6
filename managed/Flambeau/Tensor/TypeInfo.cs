namespace Flambeau;

public static partial class torch
{
    /// <summary>Limits of a floating-point dtype, the default one if none is named.</summary>
    /// <exception cref="ArgumentException">Not a floating-point dtype.</exception>
    public static FInfo finfo(ScalarType? dtype = null) => (dtype ?? default_dtype) switch
    {
        ScalarType.Float16 => new FInfo(16, Math.ScaleB(1, -10), 65504, Math.ScaleB(1, -14), 1e-3),
        ScalarType.BFloat16 => new FInfo(16, Math.ScaleB(1, -7), Math.ScaleB(255, 120), Math.ScaleB(1, -126), 1e-2),
        ScalarType.Float32 => new FInfo(32, Math.ScaleB(1, -23), float.MaxValue, Math.ScaleB(1, -126), 1e-6),
        ScalarType.Float64 => new FInfo(64, Math.ScaleB(1, -52), double.MaxValue, Math.ScaleB(1, -1022), 1e-15),
        ScalarType other => throw Error.Argument("finfo", $"{other.name()} is not a floating-point dtype"),
    };

    /// <summary>Limits of an integer dtype.</summary>
    /// <exception cref="ArgumentException">Not an integer dtype.</exception>
    public static IInfo iinfo(ScalarType dtype) => dtype switch
    {
        ScalarType.Byte => new IInfo(8, byte.MinValue, byte.MaxValue),
        ScalarType.Int8 => new IInfo(8, sbyte.MinValue, sbyte.MaxValue),
        ScalarType.Int16 => new IInfo(16, short.MinValue, short.MaxValue),
        ScalarType.Int32 => new IInfo(32, int.MinValue, int.MaxValue),
        ScalarType.Int64 => new IInfo(64, long.MinValue, long.MaxValue),
        _ => throw Error.Argument("iinfo", $"{dtype.name()} is not an integer dtype"),
    };

    public readonly record struct IInfo(int bits, long min, long max);

    /// <summary>eps: distance from 1 to the next number; tiny, smallest_normal: smallest number of full precision; resolution: of decimal digits.</summary>
    public readonly struct FInfo
    {
        public readonly int bits;
        public readonly double eps, max, min, tiny, smallest_normal, resolution;

        internal FInfo(int bits, double eps, double max, double tiny, double resolution)
        {
            this.bits = bits;
            this.eps = eps;
            this.max = max;
            min = -max;
            this.tiny = smallest_normal = tiny;
            this.resolution = resolution;
        }
    }
}
