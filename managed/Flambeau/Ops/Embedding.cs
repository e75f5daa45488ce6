namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>1 at the place that each number names, 0 elsewhere: int64 [..., num_classes].</summary>
            /// <param name="num_classes">-1: the largest number plus 1.</param>
            public static Tensor one_hot(Tensor x, long num_classes = -1)
            {
                if (x.dtype != ScalarType.Int64) throw Error.Argument("one_hot", $"class numbers must be int64, not {x.dtype.name()}");
                long most = -1, least = 0;
                foreach (long n in x.data<long>()) (least, most) = (Math.Min(least, n), Math.Max(most, n));
                if (least < 0) throw Error.Argument("one_hot", $"class numbers must not be negative: {least}");
                if (num_classes == -1 && x.numel() == 0) throw Error.Argument("one_hot", "without elements the number of classes must be given");
                long classes = num_classes == -1 ? most + 1 : num_classes;
                if (classes <= most || classes <= 0) throw Error.Argument("one_hot", $"class {most} does not fit {classes} classes");
                return zeros([.. x.sizes, classes], ScalarType.Int64, x.device).scatter_(-1, x.unsqueeze(-1), 1);
            }

            /// <summary>Rows of weight [rows, size] by number: [..., size].</summary>
            /// <param name="padding_idx">A row that gets no gradient.</param>
            /// <param name="max_norm">Rows used that are longer are first shortened to it, in weight itself, outside the graph.</param>
            /// <param name="scale_grad_by_freq">Divide the gradient of a row by how often it was used.</param>
            /// <param name="sparse">There for ported programs; gradients are always dense.</param>
            /// <exception cref="IndexOutOfRangeException">A number is out of range.</exception>
            public static Tensor embedding(Tensor input, Tensor weight, long? padding_idx = null, double? max_norm = null, double norm_type = 2.0, bool scale_grad_by_freq = false, bool sparse = false)
            {
                if (weight.rank != 2) throw Error.Argument("embedding", $"the weight must have 2 dimensions, not shape {Error.Shape(weight.sizes)}");
                Elementwise.SameDevice("embedding", input, weight);
                if (input.dtype is not (ScalarType.Int64 or ScalarType.Int32)) throw Error.Argument("embedding", $"row numbers must be int32 or int64, not {input.dtype.name()}");
                long rows = weight.sizes[0];
                long padding = padding_idx is not { } p ? -1 : p < 0 ? p + rows : p;
                if (padding_idx is { } given && (padding < 0 || padding >= rows)) throw Error.Range("embedding", $"padding_idx {given} is out of range for {rows} rows");
                Tensor index = input.to(ScalarType.Int64).reshape(-1);
                if (max_norm is { } most) ShortenRows(weight, index, most, norm_type);
                Tensor y = IndexKernels.Select("embedding", weight, 0, index);
                long width = weight.sizes[1];
                Flambeau.Reduction.Drop(y, [.. input.sizes, width]);
                // dweight = zeros with the rows of dy added, except the padding's
                return Graph.Record("embedding", y, [weight], [index], (n, dy) => [Tensor.RowsAdded(dy.reshape(n[0].numel(), width), n[0], rows, padding, scale_grad_by_freq)]);
            }

            private static void ShortenRows(Tensor weight, Tensor index, double most, double p)
            {
                using IDisposable mode = no_grad();
                Tensor used = index.unique().output, rows = weight.detach().index_select(0, used);
                Tensor length = rows.norm(1, keepdim: true, p: (float)p);
                Tensor factor = (most / (length + 1e-7)).masked_fill_(length.le(most), 1);
                weight.detach().index_copy_(0, used, rows * factor);
            }

            /// <summary>Sums, means or maxima of bags of rows: input [bags, length], or one dimension cut at offsets. Result: [bags, size].</summary>
            /// <param name="per_sample_weights">Factors of the rows, for sums only.</param>
            public static Tensor embedding_bag(Tensor input, Tensor weight, Tensor? offsets = null, double? max_norm = null, double norm_type = 2.0, bool scale_grad_by_freq = false, EmbeddingBagMode mode = EmbeddingBagMode.Mean, bool sparse = false, Tensor? per_sample_weights = null, bool include_last_offset = false, long? padding_idx = null)
            {
                if (per_sample_weights is not null && mode != EmbeddingBagMode.Sum) throw Error.Argument("embedding_bag", $"per_sample_weights are for sums only, not {mode}");
                if (per_sample_weights is not null && !per_sample_weights.sizes.AsSpan().SequenceEqual(input.sizes))
                    throw Error.Argument("embedding_bag", $"per_sample_weights of shape {Error.Shape(per_sample_weights.sizes)} do not fit input of shape {Error.Shape(input.sizes)}");
                Elementwise.SameDevice("embedding_bag", input, weight, offsets, per_sample_weights);
                (Tensor bag, long bags) = Bags(input, offsets, include_last_offset);
                Tensor flat = input.to(ScalarType.Int64).reshape(-1);
                Tensor rows = embedding(flat, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq);
                Tensor? factors = per_sample_weights?.reshape(-1);
                if (padding_idx is { } p)
                {
                    // Padding takes no part: neither in sums nor in counts.
                    long row = p < 0 ? p + weight.sizes[0] : p;
                    Tensor real = flat.ne(row).nonzero().reshape(-1);
                    (rows, bag, factors) = (rows.index_select(0, real), bag.index_select(0, real), factors?.index_select(0, real));
                }
                if (factors is not null) rows = rows * factors.unsqueeze(1);
                Tensor none = zeros([bags, weight.sizes[1]], weight.dtype, weight.device);
                if (mode == EmbeddingBagMode.Max) return none.scatter_reduce(0, bag.unsqueeze(1).expand(rows.sizes), rows, "amax", include_self: false);
                Tensor sum = none.index_add(0, bag, rows);
                if (mode == EmbeddingBagMode.Sum) return sum;
                Tensor count = zeros([bags], weight.dtype, weight.device).index_add_(0, bag, ones([bag.numel()], weight.dtype, weight.device));
                return sum / count.clamp_min_(1).unsqueeze(1);
            }

            // The bag of each row, and how many bags there are.
            private static (Tensor Bag, long Count) Bags(Tensor input, Tensor? offsets, bool includeLast)
            {
                if (input.rank == 2)
                {
                    if (offsets is not null) throw Error.Argument("embedding_bag", "offsets are for input of one dimension");
                    return (arange(input.sizes[0], ScalarType.Int64, input.device).repeat_interleave(input.sizes[1], 0), input.sizes[0]);
                }
                if (input.rank != 1 || offsets is not { rank: 1 }) throw Error.Argument("embedding_bag", $"expects two dimensions, or one and offsets, not shape {Error.Shape(input.sizes)}");
                long[] starts = offsets.to(ScalarType.Int64).data<long>().ToArray();
                long bags = starts.Length - (includeLast ? 1 : 0), n = input.sizes[0];
                var bag = new long[n];
                for (int i = 0; i < bags; i++)
                {
                    long end = i + 1 < starts.Length ? starts[i + 1] : n;
                    if ((i == 0 && starts[0] != 0) || starts[i] > end || end > n) throw Error.Argument("embedding_bag", $"offsets must start at 0, rise, and stay within {n}: offset {i} is {starts[i]}");
                    Array.Fill(bag, i, (int)starts[i], (int)(end - starts[i]));
                }
                return (tensor(bag, device: input.device), bags);
            }
        }
    }

    public partial class Tensor
    {
        internal static Tensor RowsAdded(Tensor dy, Tensor index, long rows, long padding, bool byFrequency)
        {
            if (byFrequency)
            {
                Tensor count = zeros([rows], dy.dtype, dy.device).index_add_(0, index, ones([index.numel()], dy.dtype, dy.device));
                dy = dy / count.index_select(0, index).unsqueeze(1);
            }
            Tensor dw = zeros([rows, dy.sizes[1]], dy.dtype, dy.device).index_add(0, index, dy);
            return padding < 0 ? dw : dw.index_fill(0, tensor([padding], device: dy.device), 0);
        }
    }
}
