using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>A table of vectors, read by number.</summary>
            /// <param name="padding_idx">The number of a vector that starts at zero and is not trained.</param>
            public static Embedding Embedding(long num_embeddings, long embedding_dims, long? padding_idx = null, double? max_norm = null, double norm_type = 2, bool scale_grad_by_freq = false, bool sparse = false, Device? device = null, ScalarType? dtype = null) =>
                new(num_embeddings, embedding_dims, null, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, device, dtype);

            /// <summary>The table is given: [count, width].</summary>
            public static Embedding Embedding_from_pretrained(Tensor embeddings, bool freeze = true, long? padding_idx = null, double? max_norm = null, double norm_type = 2, bool scale_grad_by_freq = false, bool sparse = false, Device? device = null, ScalarType? dtype = null) =>
                new(0, 0, new Parameter(embeddings.to(dtype ?? embeddings.dtype, device ?? embeddings.device), !freeze), padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, device, dtype);

            /// <summary>Sums, means or maxima of bags of vectors of a table.</summary>
            public static EmbeddingBag EmbeddingBag(long num_embeddings, long embedding_dims, double? max_norm = null, double norm_type = 2, bool scale_grad_by_freq = false, EmbeddingBagMode mode = EmbeddingBagMode.Mean, bool sparse = false, bool include_last_offset = false, long padding_index = -1, Device? device = null, ScalarType? dtype = null) =>
                new(num_embeddings, embedding_dims, null, max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset, padding_index, device, dtype);

            public static EmbeddingBag EmbeddingBag_from_pretrained(Tensor embeddings, bool freeze = true, double? max_norm = null, double norm_type = 2, bool scale_grad_by_freq = false, EmbeddingBagMode mode = EmbeddingBagMode.Mean, bool sparse = false, bool include_last_offset = false, long padding_index = -1, Device? device = null, ScalarType? dtype = null) =>
                new(0, 0, new Parameter(embeddings.to(dtype ?? embeddings.dtype, device ?? embeddings.device), !freeze), max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset, padding_index, device, dtype);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>y = weight[x]: x any shape of numbers, weight [count, width], y [.., width].</summary>
    public class Embedding : WeightedModule
    {
        private readonly double? max_norm;
        private readonly double norm_type;
        private readonly bool scale_grad_by_freq, sparse;

        internal Embedding(long count, long width, Parameter? given, long? padding_idx, double? max_norm, double norm_type, bool scale_grad_by_freq, bool sparse, Device? device, ScalarType? dtype)
            : base(nameof(Embedding))
        {
            if (given is not null && given.rank != 2) throw Error.Argument("Embedding", $"the table must be a matrix, not of shape {Error.Shape(given.sizes)}");
            weight = given ?? new Parameter(empty([count, width], dtype, device));
            num_embeddings = weight.sizes[0];
            embedding_dim = weight.sizes[1];
            if (padding_idx is { } p && (p < -num_embeddings || p >= num_embeddings)) throw Error.Argument("Embedding", $"padding_idx {p} is out of range for {num_embeddings} vectors");
            this.padding_idx = padding_idx < 0 ? padding_idx + num_embeddings : padding_idx;
            (this.max_norm, this.norm_type, this.scale_grad_by_freq, this.sparse) = (max_norm, norm_type, scale_grad_by_freq, sparse);
            if (given is null) reset_parameters();
        }

        public long num_embeddings { get; }

        public long embedding_dim { get; }

        public long? padding_idx { get; }

        public void reset_parameters()
        {
            init.normal_(weight);
            if (padding_idx is { } p) init.zeros_(weight.detach().select(0, p));
        }

        public override Tensor forward(Tensor input) => functional.embedding(input, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse);

        public override string extra_repr()
        {
            string text = $"{num_embeddings}, {embedding_dim}";
            if (padding_idx is { } p) text += $", padding_idx={p}";
            if (max_norm is { } m) text += $", max_norm={Repr.Number(m)}";
            if (norm_type != 2) text += $", norm_type={Repr.Number(norm_type)}";
            if (scale_grad_by_freq) text += ", scale_grad_by_freq=True";
            return sparse ? text + ", sparse=True" : text;
        }
    }

    /// <summary>One row per bag of numbers: the sum, mean or maximum of their vectors. Bags are rows of a matrix, or begin at offsets into a list.</summary>
    public class EmbeddingBag : Module<Tensor, Tensor?, Tensor?, Tensor>
    {
        private readonly double? max_norm;
        private readonly double norm_type;
        private readonly bool scale_grad_by_freq, sparse, include_last_offset;
        private readonly EmbeddingBagMode mode;
        private readonly long? padding;
        private Parameter _weight;

        internal EmbeddingBag(long count, long width, Parameter? given, double? max_norm, double norm_type, bool scale_grad_by_freq, EmbeddingBagMode mode, bool sparse, bool include_last_offset, long padding_index, Device? device, ScalarType? dtype)
            : base(nameof(EmbeddingBag))
        {
            if (given is not null && given.rank != 2) throw Error.Argument("EmbeddingBag", $"the table must be a matrix, not of shape {Error.Shape(given.sizes)}");
            weight = _weight = given ?? new Parameter(empty([count, width], dtype, device));
            (this.max_norm, this.norm_type, this.scale_grad_by_freq, this.mode) = (max_norm, norm_type, scale_grad_by_freq, mode);
            (this.sparse, this.include_last_offset, padding) = (sparse, include_last_offset, padding_index < 0 ? null : padding_index);
            if (given is not null) return;
            init.normal_(_weight);
            if (padding is { } p) init.zeros_(_weight.detach().select(0, p));
        }

        public Parameter weight
        {
            get => _weight;
            set => register_parameter("weight", value);
        }

        public override void register_parameter(string name, Parameter? param)
        {
            base.register_parameter(name, param);
            if (name == "weight" && param is not null) _weight = param;
        }

        public Tensor call(Tensor input) => call(input, null, null);

        public Tensor call(Tensor input, Tensor? offsets) => call(input, offsets, null);

        public override Tensor forward(Tensor input, Tensor? offsets, Tensor? perSampleWeights) =>
            functional.embedding_bag(input, _weight, offsets, max_norm, norm_type, scale_grad_by_freq, mode, sparse, perSampleWeights, include_last_offset, padding);

        public override string extra_repr()
        {
            string text = $"{_weight.sizes[0]}, {_weight.sizes[1]}";
            if (max_norm is { } m) text += $", max_norm={Repr.Number(m)}";
            if (norm_type != 2) text += $", norm_type={Repr.Number(norm_type)}";
            if (scale_grad_by_freq) text += ", scale_grad_by_freq=True";
            text += $", mode='{mode.ToString().ToLowerInvariant()}'";
            return padding is { } p ? text + $", padding_idx={p}" : text;
        }
    }
}
