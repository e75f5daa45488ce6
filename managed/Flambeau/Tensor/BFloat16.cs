using System.Globalization;

namespace Flambeau;

/// <summary>The upper half of a float32: 8 bits of exponent, 7 of fraction. A storage type; arithmetic goes through float.</summary>
public readonly struct BFloat16 : IEquatable<BFloat16>, IComparable<BFloat16>, IComparable, IFormattable
{
    private readonly ushort bits;

    private BFloat16(ushort bits) => this.bits = bits;

    public BFloat16(float value) => bits = ((BFloat16)value).bits;

    public static readonly BFloat16 Zero = new(0x0000);
    public static readonly BFloat16 One = new(0x3f80);

    /// <summary>The distance from 1 to the next number, 2^-7.</summary>
    public static readonly BFloat16 Epsilon = new(0x3c00);
    public static readonly BFloat16 MaxValue = new(0x7f7f);
    public static readonly BFloat16 MinValue = new(0xff7f);
    public static readonly BFloat16 MinNormal = new(0x0080);
    public static readonly BFloat16 SmallestSubnormal = new(0x0001);
    public static readonly BFloat16 NaN = new(0x7fc0);
    public static readonly BFloat16 PositiveInfinity = new(0x7f80);
    public static readonly BFloat16 NegativeInfinity = new(0xff80);

    public static BFloat16 FromBits(ushort bits) => new(bits);

    public static BFloat16 FromRawValue(ushort rawValue) => new(rawValue);

    public static bool IsNaN(BFloat16 bf) => float.IsNaN(bf);

    public static bool IsFinite(BFloat16 bf) => float.IsFinite(bf);

    public static bool IsInfinity(BFloat16 bf) => float.IsInfinity(bf);

    public static bool IsPositiveInfinity(BFloat16 bf) => float.IsPositiveInfinity(bf);

    public static bool IsNegativeInfinity(BFloat16 bf) => float.IsNegativeInfinity(bf);

    public float ToSingle() => this;

    public ushort ToBits() => bits;

    /// <summary>Rounds to nearest even; NaN stays NaN.</summary>
    public static explicit operator BFloat16(float x)
    {
        if (float.IsNaN(x)) return new BFloat16(0x7fc0);
        uint u = BitConverter.SingleToUInt32Bits(x);
        return new BFloat16((ushort)((u + 0x7fff + ((u >> 16) & 1)) >> 16));
    }

    public static explicit operator BFloat16(double x) => (BFloat16)(float)x;

    public static implicit operator float(BFloat16 x) => BitConverter.UInt32BitsToSingle((uint)x.bits << 16);

    public bool Equals(BFloat16 other) => (float)this == other;

    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    public override int GetHashCode() => ((float)this).GetHashCode();

    public int CompareTo(object? obj) => obj is null ? 1 : obj is BFloat16 other ? CompareTo(other) : throw Error.Argument("BFloat16", $"cannot be compared with a {obj.GetType().Name}");

    public int CompareTo(BFloat16 other) => ((float)this).CompareTo(other);

    public override string ToString() => ((float)this).ToString(CultureInfo.CurrentCulture);

    public string ToString(string? format, IFormatProvider? formatProvider) => ((float)this).ToString(format, formatProvider);

    public static bool operator ==(BFloat16 a, BFloat16 b) => a.Equals(b);

    public static bool operator !=(BFloat16 a, BFloat16 b) => !a.Equals(b);

    public static bool operator <(BFloat16 a, BFloat16 b) => (float)a < b;

    public static bool operator >(BFloat16 a, BFloat16 b) => (float)a > b;

    public static bool operator <=(BFloat16 a, BFloat16 b) => (float)a <= b;

    public static bool operator >=(BFloat16 a, BFloat16 b) => (float)a >= b;

    public static BFloat16 operator +(BFloat16 a, BFloat16 b) => (BFloat16)((float)a + b);

    public static BFloat16 operator -(BFloat16 a, BFloat16 b) => (BFloat16)((float)a - b);

    public static BFloat16 operator *(BFloat16 a, BFloat16 b) => (BFloat16)((float)a * b);

    public static BFloat16 operator /(BFloat16 a, BFloat16 b) => (BFloat16)((float)a / b);

    public static BFloat16 operator %(BFloat16 a, BFloat16 b) => (BFloat16)((float)a % b);

    public static BFloat16 operator -(BFloat16 a) => new((ushort)(a.bits ^ 0x8000));
}
