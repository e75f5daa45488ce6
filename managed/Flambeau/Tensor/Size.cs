using System.Collections;

namespace Flambeau;

public static partial class torch
{
    /// <summary>A shape as a value: compares by its numbers, adds by joining.</summary>
    public readonly struct Size : IEnumerable<long>, IEquatable<Size>
    {
        private readonly long[]? shape;

        public Size(long[] shape) => this.shape = [.. shape];

        public Size(int[] shape) => this.shape = Array.ConvertAll(shape, static n => (long)n);

        public Size(IEnumerable<long> shape) => this.shape = [.. shape];

        public Size(long size) => shape = [size];

        public static Size Empty => default;

        public long[] Shape => shape is null ? [] : [.. shape];

        public int Length => shape?.Length ?? 0;

        public bool IsEmpty => Length == 0;

        public bool IsScalar => Length == 0;

        public long this[int idx] => (shape ?? [])[idx < 0 ? idx + Length : idx];

        public long this[long idx] => this[(int)idx];

        public long numel() => Shapes.Count(shape);

        /// <summary>Dimensions first to next - 1.</summary>
        public Size Slice(int first, int next) => new((shape ?? [])[first..next]);

        public IEnumerable<long> Take(int i) => this.AsEnumerable().Take(i);

        public IEnumerator<long> GetEnumerator() => ((IEnumerable<long>)(shape ?? [])).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public bool Equals(Size other) => Shape.AsSpan().SequenceEqual(other.Shape);

        public override bool Equals(object? obj) => obj is Size other && Equals(other);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            foreach (long n in this) hash.Add(n);
            return hash.ToHashCode();
        }

        public override string ToString() => Error.Shape(shape);

        public static implicit operator Size(long[] size) => new(size);

        public static implicit operator Size(long size) => new(size);

        public static implicit operator Size((long, long) size) => new([size.Item1, size.Item2]);

        public static implicit operator Size((long, long, long) size) => new([size.Item1, size.Item2, size.Item3]);

        public static implicit operator Size((long, long, long, long) size) => new([size.Item1, size.Item2, size.Item3, size.Item4]);

        public static implicit operator Size((long, long, long, long, long) size) => new([size.Item1, size.Item2, size.Item3, size.Item4, size.Item5]);

        public static implicit operator ReadOnlySpan<long>(Size size) => size.shape;

        public static Size operator +(Size left, Size right) => new([.. left, .. right]);

        public static Size operator +(Size left, IEnumerable<long> right) => new([.. left, .. right]);

        public static bool operator ==(Size left, Size right) => left.Equals(right);

        public static bool operator !=(Size left, Size right) => !left.Equals(right);
    }
}
