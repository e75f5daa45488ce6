namespace Flambeau;

/// <summary>Arithmetic on sizes, strides and dimension numbers.</summary>
internal static class Shapes
{
    internal const int MaxRank = Interop.Native.MaxRank;

    /// <exception cref="ArgumentException">A size is negative, the product overflows, or there are more than 12 dimensions.</exception>
    internal static long Count(ReadOnlySpan<long> sizes)
    {
        if (sizes.Length > MaxRank) throw Error.Argument("shape", $"{Error.Shape(sizes)} has {sizes.Length} dimensions; {MaxRank} is the most");
        long count = 1;
        foreach (long n in sizes)
        {
            if (n < 0) throw Error.Argument("shape", $"{Error.Shape(sizes)} has a negative size");
            count = checked(count * n);
        }
        return count;
    }

    internal static long[] RowMajor(ReadOnlySpan<long> sizes)
    {
        if (sizes.Length == 0) return [];
        var strides = new long[sizes.Length];
        long step = 1;
        for (int i = sizes.Length - 1; i >= 0; i--)
        {
            strides[i] = step;
            step *= Math.Max(sizes[i], 1);
        }
        return strides;
    }

    internal static bool IsRowMajor(ReadOnlySpan<long> sizes, ReadOnlySpan<long> strides)
    {
        long expected = 1;
        for (int i = sizes.Length - 1; i >= 0; i--)
        {
            if (sizes[i] == 0) return true;
            if (sizes[i] == 1) continue;
            if (strides[i] != expected) return false;
            expected *= sizes[i];
        }
        return true;
    }

    /// <summary>True if the elements fill one block of memory, each exactly once, in whatever order of dimensions.</summary>
    internal static bool IsDense(ReadOnlySpan<long> sizes, ReadOnlySpan<long> strides)
    {
        if (IsRowMajor(sizes, strides)) return true;
        Span<int> order = stackalloc int[sizes.Length];
        int used = 0;
        for (int d = 0; d < sizes.Length; d++)
            if (sizes[d] != 1) order[used++] = d;
        for (int i = 1; i < used; i++)
            for (int j = i; j > 0 && strides[order[j - 1]] > strides[order[j]]; j--) (order[j - 1], order[j]) = (order[j], order[j - 1]);
        long expected = 1;
        for (int i = 0; i < used; i++)
        {
            if (strides[order[i]] != expected) return false;
            expected *= sizes[order[i]];
        }
        return true;
    }

    /// <summary>-1 is the last dimension; a 0-dim tensor takes 0 and -1.</summary>
    internal static int Dim(string op, long dim, int rank)
    {
        int n = Math.Max(rank, 1);
        if (dim < -n || dim >= n) throw Error.Range(op, $"dimension {dim} is out of range for a tensor of {rank} dimensions (expected {-n} to {n - 1})");
        return (int)(dim < 0 ? dim + n : dim);
    }

    /// <summary>Dimensions as a bit mask; none given means all.</summary>
    /// <exception cref="ArgumentException">A dimension appears twice.</exception>
    internal static int DimMask(string op, ReadOnlySpan<long> dims, int rank)
    {
        if (dims.Length == 0) return (1 << rank) - 1;
        int mask = 0;
        foreach (long dim in dims)
        {
            int bit = 1 << Dim(op, dim, rank);
            if ((mask & bit) != 0) throw Error.Argument(op, $"dimension {dim} appears twice in {Error.Shape(dims)}");
            mask |= bit;
        }
        return mask;
    }

    /// <summary>The common shape of two tensors, sizes of 1 stretched.</summary>
    internal static long[] Broadcast(string op, long[] a, long[] b)
    {
        if (a.AsSpan().SequenceEqual(b)) return a;
        var sizes = new long[Math.Max(a.Length, b.Length)];
        for (int i = 1; i <= sizes.Length; i++)
        {
            long x = i <= a.Length ? a[^i] : 1, y = i <= b.Length ? b[^i] : 1;
            if (x != y && x != 1 && y != 1)
                throw Error.Argument(op, $"shapes {Error.Shape(a)} and {Error.Shape(b)} do not broadcast: dimension {sizes.Length - i} is {x} in the first and {y} in the second");
            sizes[^i] = x == 1 ? y : x;
        }
        return sizes;
    }

    /// <summary>Strides under which x reads as <paramref name="sizes"/>: 0 along stretched dimensions. The shapes already broadcast.</summary>
    internal static long[] BroadcastStrides(long[] xSizes, long[] xStrides, long[] sizes)
    {
        var strides = new long[sizes.Length];
        for (int i = 1; i <= xSizes.Length; i++) strides[^i] = xSizes[^i] == 1 && sizes[^i] != 1 ? 0 : xStrides[^i];
        return strides;
    }

    /// <summary>Sizes with at most one -1 resolved from the number of elements.</summary>
    internal static long[] Infer(string op, ReadOnlySpan<long> wanted, long count)
    {
        var sizes = wanted.ToArray();
        int unknown = -1;
        long known = 1;
        for (int i = 0; i < sizes.Length; i++)
        {
            if (sizes[i] == -1)
            {
                if (unknown >= 0) throw Error.Argument(op, $"only one size can be -1, not two as in {Error.Shape(wanted)}");
                unknown = i;
            }
            else
            {
                if (sizes[i] < 0) throw Error.Argument(op, $"{Error.Shape(wanted)} has a negative size");
                known = checked(known * sizes[i]);
            }
        }
        if (unknown >= 0)
        {
            if (known == 0 || count % known != 0) throw Error.Argument(op, $"{count} elements do not fit the shape {Error.Shape(wanted)}");
            sizes[unknown] = count / known;
        }
        else if (known != count)
        {
            throw Error.Argument(op, $"{count} elements do not fit the shape {Error.Shape(wanted)}");
        }
        return sizes;
    }

    /// <summary>Strides that read the same memory under new sizes, or null if it takes a copy.</summary>
    internal static long[]? ViewStrides(long[] sizes, long[] strides, long[] wanted)
    {
        var result = new long[wanted.Length];
        if (Count(sizes) == 0) return RowMajor(wanted);
        int w = wanted.Length - 1;
        long chunkStride = strides.Length > 0 ? strides[^1] : 1, chunk = 1, taken = 1;
        for (int d = sizes.Length - 1; d >= 0; d--)
        {
            chunk *= sizes[d];
            bool ends = d == 0 || (sizes[d - 1] != 1 && strides[d - 1] != chunk * chunkStride);
            if (!ends) continue;
            while (w >= 0 && (taken < chunk || wanted[w] == 1))
            {
                result[w] = taken * chunkStride;
                taken *= wanted[w];
                w--;
            }
            if (taken != chunk) return null;
            if (d > 0)
            {
                chunkStride = strides[d - 1];
                chunk = 1;
                taken = 1;
            }
        }
        for (; w >= 0; w--) result[w] = 1;
        return result;
    }

    /// <summary>The sizes left after removing (or setting to 1) the dimensions of a mask.</summary>
    internal static long[] Reduced(long[] sizes, int mask, bool keepdim)
    {
        var kept = new List<long>(sizes.Length);
        for (int d = 0; d < sizes.Length; d++)
        {
            if ((mask >> d & 1) == 0) kept.Add(sizes[d]);
            else if (keepdim) kept.Add(1);
        }
        return [.. kept];
    }
}
