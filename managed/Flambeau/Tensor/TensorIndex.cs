namespace Flambeau;

public static partial class torch
{
    /// <summary>One entry of an index list: a number, a slice, an ellipsis, a new dimension, a bool, or a tensor of integers or bools.</summary>
    public readonly struct TensorIndex
    {
        internal enum Kind
        {
            Slice,
            Single,
            Ellipsis,
            None,
            Bool,
            Tensor,
        }

        internal readonly Kind kind;
        internal readonly long? start, stop, step; // Single and Bool use start
        internal readonly Tensor? tensor;

        private TensorIndex(Kind kind, long? start = null, long? stop = null, long? step = null, Tensor? tensor = null)
        {
            this.kind = kind;
            this.start = start;
            this.stop = stop;
            this.step = step;
            this.tensor = tensor;
        }

        /// <summary>As many full slices as there is room for.</summary>
        public static TensorIndex Ellipsis => new(Kind.Ellipsis);

        /// <summary>A new dimension of size 1.</summary>
        public static TensorIndex None => new(Kind.None);

        public static TensorIndex Null => None;

        /// <summary>The whole dimension.</summary>
        public static TensorIndex Colon => new(Kind.Slice);

        public static TensorIndex Bool(bool value) => new(Kind.Bool, value ? 1 : 0);

        /// <summary>One entry; null is a new dimension.</summary>
        public static TensorIndex Single(long? index) => index is null ? None : new(Kind.Single, index);

        public static TensorIndex Tensor(Tensor tensor)
        {
            ArgumentNullException.ThrowIfNull(tensor);
            return new(Kind.Tensor, tensor: tensor);
        }

        /// <summary>start, start + step, ... below stop; negative bounds count from the end.</summary>
        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null) => new(Kind.Slice, start, stop, step);

        public static TensorIndex Slice((int? start, int? end) range) => new(Kind.Slice, range.start, range.end);

        public static TensorIndex Slice(Range range) => range;

        public static implicit operator TensorIndex(long value) => new(Kind.Single, value);

        public static implicit operator TensorIndex(bool value) => Bool(value);

        public static implicit operator TensorIndex((int? start, int? end) range) => Slice(range);

        public static implicit operator TensorIndex(Index index) => new(Kind.Single, index.IsFromEnd ? -(long)index.Value : index.Value);

        /// <summary>1..3, ..^1, 2..: a bound of ^0 is the end.</summary>
        public static implicit operator TensorIndex(Range range) => new(Kind.Slice, Bound(range.Start), Bound(range.End));

        public static implicit operator TensorIndex(Tensor tensor) => Tensor(tensor);

        private static long Bound(Index index) => !index.IsFromEnd ? index.Value : index.Value == 0 ? long.MaxValue : -(long)index.Value;
    }
}
