using System.Globalization;

namespace Flambeau;

/// <summary>The upper half of a float32: 8 bits of exponent, 7 of fraction. A storage type; arithmetic goes through float.</summary>
public readonly struct BFloat16 : IEquatable<BFloat16>, IComparable<BFloat16>, IFormattable
{
    private readonly ushort bits;

    private BFloat16(ushort bits) => this.bits = bits;

    public static BFloat16 FromBits(ushort bits) => new(bits);

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

    public int CompareTo(BFloat16 other) => ((float)this).CompareTo(other);

    public override string ToString() => ((float)this).ToString(CultureInfo.CurrentCulture);

    public string ToString(string? format, IFormatProvider? formatProvider) => ((float)this).ToString(format, formatProvider);

    public static bool operator ==(BFloat16 a, BFloat16 b) => a.Equals(b);

    public static bool operator !=(BFloat16 a, BFloat16 b) => !a.Equals(b);

    public static bool operator <(BFloat16 a, BFloat16 b) => (float)a < b;

    public static bool operator >(BFloat16 a, BFloat16 b) => (float)a > b;

    public static bool operator <=(BFloat16 a, BFloat16 b) => (float)a <= b;

    public static bool operator >=(BFloat16 a, BFloat16 b) => (float)a >= b;
}
