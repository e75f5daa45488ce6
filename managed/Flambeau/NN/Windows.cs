namespace Flambeau;

/// <summary>Window sizes, strides and paddings, however they were given, as arrays of one number per dimension.</summary>
internal static class Windows
{
    internal static long[] Same(long value, int dimensions)
    {
        var all = new long[dimensions];
        Array.Fill(all, value);
        return all;
    }

    internal static long[]? Same(long? value, int dimensions) => value is { } v ? Same(v, dimensions) : null;

    internal static long[] Of((long, long) value) => [value.Item1, value.Item2];

    internal static long[] Of((long, long, long) value) => [value.Item1, value.Item2, value.Item3];

    internal static long[] Of((long, long)? value, long otherwise) => Of(value ?? (otherwise, otherwise));

    internal static long[] Of((long, long, long)? value, long otherwise) => Of(value ?? (otherwise, otherwise, otherwise));

    internal static long[]? Maybe((long, long)? value) => value is { } v ? Of(v) : null;

    internal static long[]? Maybe((long, long, long)? value) => value is { } v ? Of(v) : null;
}
