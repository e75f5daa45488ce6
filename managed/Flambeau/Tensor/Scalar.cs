using System.Globalization;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>A number given to an op: bool, integer or floating point. A plain value; Dispose is there for ported programs and does nothing.</summary>
public readonly struct Scalar : IDisposable, IEquatable<Scalar>
{
    private readonly double real;
    private readonly long integer;

    private Scalar(ScalarType type, double real, long integer)
    {
        Type = type;
        this.real = real;
        this.integer = integer;
    }

    /// <summary>Bool, Int64 or Float64 (or the narrower type it was made from).</summary>
    public ScalarType Type { get; }

    public static implicit operator Scalar(bool value) => new(ScalarType.Bool, value ? 1 : 0, value ? 1 : 0);

    public static implicit operator Scalar(byte value) => new(ScalarType.Int64, value, value);

    public static implicit operator Scalar(sbyte value) => new(ScalarType.Int64, value, value);

    public static implicit operator Scalar(short value) => new(ScalarType.Int64, value, value);

    public static implicit operator Scalar(int value) => new(ScalarType.Int64, value, value);

    public static implicit operator Scalar(long value) => new(ScalarType.Int64, value, value);

    public static implicit operator Scalar(float value) => new(ScalarType.Float64, value, Truncate(value));

    public static implicit operator Scalar(double value) => new(ScalarType.Float64, value, Truncate(value));

    public static implicit operator Scalar(Half value) => (double)value;

    public static implicit operator Scalar(BFloat16 value) => (double)(float)value;

    private static long Truncate(double value) => double.IsNaN(value) ? long.MinValue : value >= long.MaxValue ? long.MaxValue : value <= long.MinValue ? long.MinValue : (long)value;

    public bool IsFloatingPoint => category(Type) == 2;

    public double ToDouble() => real;

    public float ToSingle() => (float)real;

    public long ToInt64() => integer;

    public int ToInt32() => (int)integer;

    public bool ToBoolean() => real != 0;

    public void Dispose() { }

    /// <summary>Writes the value as one element of dtype at <paramref name="p"/> (8 bytes of room).</summary>
    internal unsafe void Write(ScalarType dtype, void* p)
    {
        switch (dtype)
        {
            case ScalarType.Byte: *(byte*)p = (byte)integer; break;
            case ScalarType.Int8: *(sbyte*)p = (sbyte)integer; break;
            case ScalarType.Int16: *(short*)p = (short)integer; break;
            case ScalarType.Int32: *(int*)p = (int)integer; break;
            case ScalarType.Int64: *(long*)p = integer; break;
            case ScalarType.Float16: *(Half*)p = (Half)real; break;
            case ScalarType.Float32: *(float*)p = (float)real; break;
            case ScalarType.Float64: *(double*)p = real; break;
            case ScalarType.Bool: *(byte*)p = real != 0 ? (byte)1 : (byte)0; break;
            default: *(BFloat16*)p = (BFloat16)real; break;
        }
    }

    public override string ToString() => Type == ScalarType.Bool ? (real != 0 ? "True" : "False")
        : IsFloatingPoint ? real.ToString(CultureInfo.InvariantCulture) : integer.ToString(CultureInfo.InvariantCulture);

    public bool Equals(Scalar other) => Type == other.Type && real.Equals(other.real) && integer == other.integer;

    public override bool Equals(object? obj) => obj is Scalar other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Type, real, integer);

    public static bool operator ==(Scalar a, Scalar b) => a.Equals(b);

    public static bool operator !=(Scalar a, Scalar b) => !a.Equals(b);
}

/// <summary>.NET numbers as Scalars and back.</summary>
public static class ScalarExtensionMethods
{
    public static Scalar ToScalar(this bool value) => value;

    public static Scalar ToScalar(this byte value) => value;

    public static Scalar ToScalar(this sbyte value) => value;

    public static Scalar ToScalar(this short value) => value;

    public static Scalar ToScalar(this int value) => value;

    public static Scalar ToScalar(this long value) => value;

    public static Scalar ToScalar(this float value) => value;

    public static Scalar ToScalar(this double value) => value;

    public static Scalar ToScalar(this Half value) => value;

    public static Scalar ToScalar(this BFloat16 value) => value;

    public static Scalar ToBFloat16Scalar(this float value) => (BFloat16)value;

    public static byte ToByte(this Scalar value) => (byte)value.ToInt64();

    public static sbyte ToSByte(this Scalar value) => (sbyte)value.ToInt64();

    public static short ToInt16(this Scalar value) => (short)value.ToInt64();

    public static Half ToHalf(this Scalar value) => (Half)value.ToDouble();

    public static BFloat16 ToBFloat16(this Scalar value) => (BFloat16)value.ToDouble();
}
