using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>num_layers copies of a layer one after the other, and a norm at the end if one is given.</summary>
            public static TransformerEncoder TransformerEncoder(TransformerEncoderLayer encoder_layer, long num_layers, Module<Tensor, Tensor>? norm = null) => new(encoder_layer, num_layers, norm);

            /// <summary>num_layers copies of a layer one after the other, and a norm at the end if one is given.</summary>
            public static TransformerDecoder TransformerDecoder(TransformerDecoderLayer decoder_layer, long num_layers, Module<Tensor, Tensor>? norm = null) => new(decoder_layer, num_layers, norm);

            /// <summary>Encoder and decoder of "Attention is all you need" (Vaswani et al., 2017).</summary>
            /// <param name="batch_first">Tensors are [batch, tokens, width] instead of [tokens, batch, width].</param>
            /// <param name="norm_first">Normalise what goes into attention and linear layers, instead of the sums.</param>
            public static Transformer Transformer(long d_model = 512, long nhead = 8, long num_encoder_layers = 6, long num_decoder_layers = 6, long dim_feedforward = 2048, double dropout = 0.1, Activations activation = Activations.ReLU, double layer_norm_eps = 1e-5, bool batch_first = false, bool norm_first = false, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(d_model, nhead, num_encoder_layers, num_decoder_layers, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>src [S, N, E] (batch_first: [N, S, E]; without a batch [S, E]) -> the same shape.</summary>
    public class TransformerEncoder : Module<Tensor, Tensor?, Tensor?, Tensor>, IModule<Tensor, Tensor, Tensor>, IModule<Tensor, Tensor>
    {
        private readonly ModuleList<TransformerEncoderLayer> layers = new();
        private readonly Module<Tensor, Tensor>? norm;

        public TransformerEncoder(TransformerEncoderLayer encoder_layer, long num_layers, Module<Tensor, Tensor>? norm = null) : base(nameof(TransformerEncoder))
        {
            ArgumentNullException.ThrowIfNull(encoder_layer);
            if (num_layers < 1) throw Error.Argument(nameof(TransformerEncoder), $"there must be at least one layer, not {num_layers}");
            for (long i = 0; i < num_layers; i++) layers.append(encoder_layer.Copy());
            register_module("layers", layers);
            this.norm = norm;
            if (norm is not null) register_module("norm", norm);
        }

        public override Tensor forward(Tensor src, Tensor? src_mask, Tensor? src_key_padding_mask) => forward(src, src_mask, src_key_padding_mask, false);

        /// <param name="src_mask">[S, S] or [N nhead, S, S]: true at places to ignore, or numbers added to the scores.</param>
        /// <param name="src_key_padding_mask">[N, S]: true at tokens to ignore.</param>
        /// <param name="is_causal">A token sees itself and the tokens before it only; src_mask is not looked at then.</param>
        public Tensor forward(Tensor src, Tensor? src_mask, Tensor? src_key_padding_mask, bool is_causal)
        {
            if (!is_causal && src_mask is not null && Attention.IsCausal(src_mask)) is_causal = true; // looked at once for all layers
            Tensor x = src;
            foreach (TransformerEncoderLayer layer in layers) x = layer.call(x, src_mask, src_key_padding_mask, is_causal);
            return norm is null ? x : norm.call(x);
        }

        public Tensor call(Tensor src) => call(src, null, null);

        public Tensor call(Tensor src, Tensor? src_mask) => call(src, src_mask, null);
    }

    /// <summary>tgt [T, N, E], memory [S, N, E] (batch_first: N first; without a batch: no N) -> the shape of tgt.</summary>
    public class TransformerDecoder : Module<Tensor, Tensor, Tensor?, Tensor?, Tensor?, Tensor?, Tensor>, IModule<Tensor, Tensor, Tensor>
    {
        private readonly ModuleList<TransformerDecoderLayer> layers = new();
        private readonly Module<Tensor, Tensor>? norm;

        public TransformerDecoder(TransformerDecoderLayer decoder_layer, long num_layers, Module<Tensor, Tensor>? norm = null) : base(nameof(TransformerDecoder))
        {
            ArgumentNullException.ThrowIfNull(decoder_layer);
            if (num_layers < 1) throw Error.Argument(nameof(TransformerDecoder), $"there must be at least one layer, not {num_layers}");
            for (long i = 0; i < num_layers; i++) layers.append(decoder_layer.Copy());
            register_module("layers", layers);
            this.norm = norm;
            if (norm is not null) register_module("norm", norm);
        }

        /// <param name="tgt_mask">[T, T] or [N nhead, T, T]: true at places to ignore, or numbers added to the scores; memory_mask likewise, [T, S].</param>
        /// <param name="tgt_key_padding_mask">[N, T]: true at tokens to ignore; memory_key_padding_mask likewise, [N, S].</param>
        public override Tensor forward(Tensor tgt, Tensor memory, Tensor? tgt_mask, Tensor? memory_mask, Tensor? tgt_key_padding_mask, Tensor? memory_key_padding_mask)
        {
            bool causal = tgt_mask is not null && Attention.IsCausal(tgt_mask); // looked at once for all layers
            Tensor x = tgt;
            foreach (TransformerDecoderLayer layer in layers) x = layer.call(x, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, causal);
            return norm is null ? x : norm.call(x);
        }

        public Tensor call(Tensor tgt, Tensor memory) => call(tgt, memory, null, null, null, null);

        public Tensor call(Tensor tgt, Tensor memory, Tensor? tgt_mask, Tensor? memory_mask = null, Tensor? tgt_key_padding_mask = null) =>
            call(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, null);
    }

    /// <summary>src [S, N, E], tgt [T, N, E] (batch_first: N first; without a batch: no N) -> the shape of tgt.</summary>
    public class Transformer : Module<Tensor, Tensor, Tensor>
    {
        private readonly TransformerEncoder encoder;
        private readonly TransformerDecoder decoder;

        public Transformer(long d_model = 512, long nhead = 8, long num_encoder_layers = 6, long num_decoder_layers = 6, long dim_feedforward = 2048, double dropout = 0.1, Activations activation = Activations.ReLU, double layer_norm_eps = 1e-5, bool batch_first = false, bool norm_first = false, bool bias = true, Device? device = null, ScalarType? dtype = null) : base(nameof(Transformer))
        {
            (this.d_model, this.nhead, this.batch_first) = (d_model, nhead, batch_first);
            var encoderLayer = new TransformerEncoderLayer(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype);
            encoder = new TransformerEncoder(encoderLayer, num_encoder_layers, new LayerNorm([d_model], layer_norm_eps, true, bias, device, dtype));
            var decoderLayer = new TransformerDecoderLayer(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype);
            decoder = new TransformerDecoder(decoderLayer, num_decoder_layers, new LayerNorm([d_model], layer_norm_eps, true, bias, device, dtype));
            register_module("encoder", encoder);
            register_module("decoder", decoder);
            foreach (Parameter p in parameters())
                if (p.rank > 1) init.xavier_uniform_(p);
        }

        public long d_model { get; }

        public long nhead { get; }

        public bool batch_first { get; }

        public override Tensor forward(Tensor src, Tensor tgt) => forward(src, tgt, null);

        /// <param name="src_mask">[S, S], tgt_mask [T, T], memory_mask [T, S]: true at places to ignore, or numbers added to the scores.</param>
        /// <param name="src_key_padding_mask">[N, S]: true at tokens to ignore; tgt_key_padding_mask [N, T], memory_key_padding_mask [N, S].</param>
        public Tensor forward(Tensor src, Tensor tgt, Tensor? src_mask, Tensor? tgt_mask = null, Tensor? memory_mask = null, Tensor? src_key_padding_mask = null, Tensor? tgt_key_padding_mask = null, Tensor? memory_key_padding_mask = null)
        {
            int batch = batch_first ? 0 : 1;
            if (src.rank != tgt.rank || src.rank is not (2 or 3) || src.sizes[^1] != d_model || tgt.sizes[^1] != d_model || (src.rank == 3 && src.sizes[batch] != tgt.sizes[batch]))
                throw Error.Argument(nameof(Transformer), $"src {Error.Shape(src.sizes)} and tgt {Error.Shape(tgt.sizes)} must have width {d_model} and the same batch");
            return decoder.call(tgt, encoder.call(src, src_mask, src_key_padding_mask), tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask);
        }

        public Tensor call(Tensor src, Tensor tgt, Tensor? src_mask, Tensor? tgt_mask = null, Tensor? memory_mask = null, Tensor? src_key_padding_mask = null, Tensor? tgt_key_padding_mask = null, Tensor? memory_key_padding_mask = null) =>
            HasHooks
                ? WithHooks(src, tgt, (s, t) => forward(s, t, src_mask, tgt_mask, memory_mask, src_key_padding_mask, tgt_key_padding_mask, memory_key_padding_mask))
                : forward(src, tgt, src_mask, tgt_mask, memory_mask, src_key_padding_mask, tgt_key_padding_mask, memory_key_padding_mask);

        /// <summary>[size, size]: -inf above the diagonal, 0 elsewhere.</summary>
        public static Tensor generate_square_subsequent_mask(long size, Device? device = null, ScalarType? dtype = null) =>
            full([size, size], double.NegativeInfinity, dtype ?? ScalarType.Float32, device).triu(1);
    }
}
