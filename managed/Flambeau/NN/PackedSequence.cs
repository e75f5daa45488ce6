namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class utils
        {
            /// <summary>Batches of sequences of different lengths.</summary>
            public static partial class rnn
            {
                /// <summary>Sequences without padding: step by step, longest sequence first. Made by pack_padded_sequence and pack_sequence.</summary>
                public sealed class PackedSequence : IDisposable
                {
                    /// <summary>[sum of lengths, ...]: all sequences' first steps, then all second steps, ...</summary>
                    public readonly Tensor data;

                    /// <summary>How many sequences have a step t: int64, on the CPU.</summary>
                    public readonly Tensor batch_sizes;

                    /// <summary>Which of the caller's sequences comes at which place; null if they were given in order.</summary>
                    public readonly Tensor? sorted_indices;

                    /// <summary>The reverse of sorted_indices.</summary>
                    public readonly Tensor? unsorted_indices;

                    private readonly long[] lengths; // longest first

                    internal PackedSequence(Tensor data, long[] lengths, long[]? order)
                    {
                        this.data = data;
                        this.lengths = lengths;
                        long steps = lengths.Length == 0 ? 0 : lengths[0];
                        batch_sizes = tensor([.. Enumerable.Range(0, (int)steps).Select(t => lengths.LongCount(n => n > t))], ScalarType.Int64, CPU);
                        if (order is null) return;
                        var back = new long[order.Length];
                        for (int i = 0; i < order.Length; i++) back[order[i]] = i;
                        sorted_indices = tensor(order, ScalarType.Int64, data.device);
                        unsorted_indices = tensor(back, ScalarType.Int64, data.device);
                    }

                    private PackedSequence(Tensor data, PackedSequence like)
                    {
                        this.data = data;
                        (lengths, batch_sizes, sorted_indices, unsorted_indices) = (like.lengths, like.batch_sizes, like.sorted_indices, like.unsorted_indices);
                    }

                    internal ReadOnlySpan<long> Lengths => lengths;

                    internal long Steps => lengths[0];

                    /// <summary>The same sequences with other numbers in them.</summary>
                    internal PackedSequence With(Tensor other) => new(other, this);

                    /// <summary>
                    /// Where step t of sequence b stands among the rows of data, at t * batch + b; past the sequence's end: `none`. reverse: step t counts from
                    /// the end of each sequence.
                    /// </summary>
                    internal long[] Rows(long none, bool reverse)
                    {
                        var rows = new long[Steps * lengths.Length];
                        Array.Fill(rows, none);
                        long next = 0;
                        for (long t = 0; t < Steps; t++)
                            for (long b = 0; b < lengths.Length && lengths[b] > t; b++) rows[(reverse ? lengths[b] - 1 - t : t) * lengths.Length + b] = next++;
                        return rows;
                    }

                    /// <summary>The reverse of Rows: which step and sequence each row of data is.</summary>
                    internal long[] Places(bool reverse)
                    {
                        long[] rows = Rows(-1, reverse), places = new long[data.sizes[0]];
                        for (long i = 0; i < rows.Length; i++)
                            if (rows[i] >= 0) places[rows[i]] = i;
                        return places;
                    }

                    /// <summary>Gives the memory back at once. Optional.</summary>
                    public void Dispose()
                    {
                        foreach (Tensor? t in Parts) t?.Dispose();
                    }

                    private Tensor?[] Parts => [data, batch_sizes, sorted_indices, unsorted_indices];

                    public PackedSequence DetachFromDisposeScope() => Each(t => t.DetachFromDisposeScope());

                    public PackedSequence MoveToOuterDisposeScope() => Each(t => t.MoveToOuterDisposeScope());

                    public PackedSequence MoveToOtherDisposeScope(DisposeScope? other) => Each(t => t.MoveToOtherDisposeScope(other));

                    public PackedSequence MoveToOtherDisposeScope(PackedSequence other) => Each(t => t.MoveToOtherDisposeScope(other.data));

                    private PackedSequence Each(Action<Tensor> move)
                    {
                        foreach (Tensor? t in Parts)
                            if (t is not null) move(t);
                        return this;
                    }
                }

                /// <summary>Takes the padding out of [steps, batch, ...] (batch_first: [batch, steps, ...]).</summary>
                /// <param name="lengths">[batch], int64, each from 1 to steps.</param>
                /// <param name="enforce_sorted">The sequences come longest first; else they are sorted.</param>
                /// <exception cref="ArgumentException">Lengths do not fit the input, or are not sorted though they should be.</exception>
                public static PackedSequence pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first = false, bool enforce_sorted = true)
                {
                    const string name = "pack_padded_sequence";
                    if (input.rank < 2) throw Error.Argument(name, $"the input must have dimensions for steps and batch, not {Error.Shape(input.sizes)}");
                    Tensor x = batch_first ? input.transpose(0, 1) : input;
                    long steps = x.sizes[0], batch = x.sizes[1];
                    if (lengths.rank != 1 || lengths.sizes[0] != batch || lengths.is_floating_point()) throw Error.Argument(name, $"lengths must be {batch} integers, not {Error.Shape(lengths.sizes)} of {lengths.dtype.name()}");
                    long[] given = lengths.cpu().to(ScalarType.Int64).data<long>().ToArray();
                    foreach (long n in given)
                        if (n < 1 || n > steps) throw Error.Argument(name, $"a length of {n} is not from 1 to {steps}");
                    long[] order = [.. Enumerable.Range(0, given.Length).OrderByDescending(i => given[i]).Select(i => (long)i)]; // stable
                    if (enforce_sorted && given.AsSpan().ContainsAnyExcept(given[0]) && !given.SequenceEqual(given.OrderDescending()))
                        throw Error.Argument(name, $"lengths {Error.Shape(given)} do not decrease; sort the sequences or pass enforce_sorted: false");
                    long[] sorted = [.. order.Select(i => given[i])];
                    var rows = new List<long>();
                    for (long t = 0; t < sorted[0]; t++)
                        for (int b = 0; b < sorted.Length && sorted[b] > t; b++) rows.Add(t * batch + order[b]);
                    Tensor data = x.reshape([steps * batch, .. x.sizes[2..]]).index_select(0, tensor(rows.ToArray(), ScalarType.Int64, x.device));
                    return new PackedSequence(data, sorted, enforce_sorted ? null : order);
                }

                /// <summary>Packs sequences [length, ...].</summary>
                /// <param name="enforce_sorted">The sequences come longest first; else they are sorted.</param>
                public static PackedSequence pack_sequence(IEnumerable<Tensor> sequences, bool enforce_sorted = true)
                {
                    Tensor[] all = [.. sequences];
                    return pack_padded_sequence(pad_sequence(all), tensor([.. all.Select(s => s.sizes[0])], ScalarType.Int64, CPU), false, enforce_sorted);
                }

                /// <summary>[steps, batch, ...] (batch_first: [batch, steps, ...]) and the lengths [batch], in the order in which they were packed.</summary>
                /// <param name="total_length">Steps of the result, at least the longest length.</param>
                public static (Tensor, Tensor) pad_packed_sequence(PackedSequence sequence, bool batch_first = false, double padding_value = 0, long? total_length = null)
                {
                    const string name = "pad_packed_sequence";
                    long steps = total_length ?? sequence.Steps, batch = sequence.Lengths.Length, rows = sequence.data.sizes[0];
                    if (steps < sequence.Steps) throw Error.Argument(name, $"total_length {steps} is less than the longest length, {sequence.Steps}");
                    long[] at = [.. sequence.Rows(rows, reverse: false), .. Enumerable.Repeat(rows, (int)((steps - sequence.Steps) * batch))], rest = sequence.data.sizes[1..];
                    Tensor fill = full([1, .. rest], padding_value, sequence.data.dtype, sequence.data.device);
                    Tensor y = cat([sequence.data, fill], 0).index_select(0, tensor(at, ScalarType.Int64, sequence.data.device)).reshape([steps, batch, .. rest]);
                    Tensor lengths = tensor(sequence.Lengths.ToArray(), ScalarType.Int64, CPU);
                    if (sequence.unsorted_indices is { } back) (y, lengths) = (y.index_select(1, back), lengths.index_select(0, back.cpu()));
                    return (batch_first ? y.transpose(0, 1) : y, lengths);
                }

                /// <summary>Sequences [length, ...] side by side with padding at their ends: [steps, batch, ...] or [batch, steps, ...].</summary>
                /// <exception cref="ArgumentException">There is no sequence, or they differ in more than their length.</exception>
                public static Tensor pad_sequence(IEnumerable<Tensor> sequences, bool batch_first = false, double padding_value = 0)
                {
                    const string name = "pad_sequence";
                    Tensor[] all = [.. sequences];
                    if (all.Length == 0) throw Error.Argument(name, "there is no sequence");
                    foreach (Tensor s in all)
                        if (s.rank == 0 || !s.sizes.AsSpan(1).SequenceEqual(all[0].sizes.AsSpan(1))) throw Error.Argument(name, $"sequences of shapes {Error.Shape(all[0].sizes)} and {Error.Shape(s.sizes)} differ in more than their length");
                    long steps = all.Max(s => s.sizes[0]);
                    Tensor[] padded = [.. all.Select(s => s.sizes[0] == steps ? s : cat([s, full([steps - s.sizes[0], .. s.sizes[1..]], padding_value, s.dtype, s.device)], 0))];
                    return stack(padded, batch_first ? 0 : 1);
                }
            }
        }
    }
}
