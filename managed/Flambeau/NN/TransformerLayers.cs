using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Self-attention and two linear layers, each added to its input and normalised (Vaswani et al., 2017).</summary>
            /// <param name="batch_first">Tensors are [batch, tokens, width] instead of [tokens, batch, width].</param>
            /// <param name="norm_first">Normalise what goes into attention and linear layers, instead of the sums.</param>
            public static TransformerEncoderLayer TransformerEncoderLayer(long d_model = 512, long nhead = 8, long dim_feedforward = 2048, double dropout = 0.1, Activations activation = Activations.ReLU, double layer_norm_eps = 1e-5, bool batch_first = false, bool norm_first = false, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype);

            /// <summary>Self-attention, attention to the encoder's output and two linear layers, each added to its input and normalised.</summary>
            /// <param name="batch_first">Tensors are [batch, tokens, width] instead of [tokens, batch, width].</param>
            /// <param name="norm_first">Normalise what goes into attention and linear layers, instead of the sums.</param>
            public static TransformerDecoderLayer TransformerDecoderLayer(long d_model = 512, long nhead = 8, long dim_feedforward = 2048, double dropout = 0.1, Activations activation = Activations.ReLU, double layer_norm_eps = 1e-5, bool batch_first = false, bool norm_first = false, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>src [S, N, E] (batch_first: [N, S, E]; without a batch [S, E]) -> the same shape.</summary>
    public class TransformerEncoderLayer : Module<Tensor, Tensor>, IModule<Tensor, Tensor, Tensor>, IModule<Tensor, Tensor, Tensor, Tensor>
    {
        private readonly MultiheadAttention self_attn;
        private readonly Linear linear1, linear2;
        private readonly LayerNorm norm1, norm2;
        private readonly Dropout dropout, dropout1, dropout2;
        private readonly Activations activation;
        private readonly bool norm_first;

        public TransformerEncoderLayer(long d_model = 512, long nhead = 8, long dim_feedforward = 2048, double dropout = 0.1, Activations activation = Activations.ReLU, double layer_norm_eps = 1e-5, bool batch_first = false, bool norm_first = false, bool bias = true, Device? device = null, ScalarType? dtype = null) : base(nameof(TransformerEncoderLayer))
        {
            (this.activation, this.norm_first) = (activation, norm_first);
            self_attn = Child("self_attn", new MultiheadAttention(d_model, nhead, dropout, bias, batch_first: batch_first, device: device, dtype: dtype));
            linear1 = Child("linear1", new Linear(d_model, dim_feedforward, bias, device, dtype));
            this.dropout = Child("dropout", new Dropout(dropout));
            linear2 = Child("linear2", new Linear(dim_feedforward, d_model, bias, device, dtype));
            norm1 = Child("norm1", new LayerNorm([d_model], layer_norm_eps, true, bias, device, dtype));
            norm2 = Child("norm2", new LayerNorm([d_model], layer_norm_eps, true, bias, device, dtype));
            dropout1 = Child("dropout1", new Dropout(dropout));
            dropout2 = Child("dropout2", new Dropout(dropout));
        }

        private TransformerEncoderLayer(TransformerEncoderLayer other) : base(nameof(TransformerEncoderLayer))
        {
            (activation, norm_first) = (other.activation, other.norm_first);
            self_attn = Child("self_attn", other.self_attn.Copy());
            linear1 = Child("linear1", Copies.Of(other.linear1));
            dropout = Child("dropout", new Dropout(other.dropout.p));
            linear2 = Child("linear2", Copies.Of(other.linear2));
            norm1 = Child("norm1", Copies.Of(other.norm1));
            norm2 = Child("norm2", Copies.Of(other.norm2));
            dropout1 = Child("dropout1", new Dropout(other.dropout1.p));
            dropout2 = Child("dropout2", new Dropout(other.dropout2.p));
            train(other.training);
        }

        private T Child<T>(string name, T module) where T : torch.nn.Module
        {
            register_module(name, module);
            return module;
        }

        internal TransformerEncoderLayer Copy() => GetType() == typeof(TransformerEncoderLayer)
            ? new(this)
            : throw Error.Argument(nameof(TransformerEncoder), $"only a TransformerEncoderLayer itself can be copied, not the class {GetType().Name} derived from it; put such layers into a ModuleList");

        public override Tensor forward(Tensor src) => forward(src, null);

        /// <param name="src_mask">[S, S] or [N nhead, S, S]: true at places to ignore, or numbers added to the scores.</param>
        /// <param name="src_key_padding_mask">[N, S]: true at tokens to ignore.</param>
        /// <param name="is_causal">A token sees itself and the tokens before it only; src_mask is not looked at then.</param>
        public Tensor forward(Tensor src, Tensor? src_mask, Tensor? src_key_padding_mask = null, bool is_causal = false)
        {
            if (norm_first)
            {
                Tensor y = src + Attend(norm1.call(src), src_mask, src_key_padding_mask, is_causal);
                return y + Feed(norm2.call(y));
            }
            Tensor x = norm1.call(src + Attend(src, src_mask, src_key_padding_mask, is_causal));
            return norm2.call(x + Feed(x));
        }

        public Tensor call(Tensor src, Tensor? src_mask) => call(src, src_mask, null);

        public Tensor call(Tensor src, Tensor? src_mask, Tensor? src_key_padding_mask) => call(src, src_mask, src_key_padding_mask, false);

        public Tensor call(Tensor src, Tensor? src_mask = null, Tensor? src_key_padding_mask = null, bool is_causal = false) =>
            HasHooks ? WithHooks(src, x => forward(x, src_mask, src_key_padding_mask, is_causal)) : forward(src, src_mask, src_key_padding_mask, is_causal);

        private Tensor Attend(Tensor x, Tensor? mask, Tensor? padding, bool causal) => dropout1.call(self_attn.call(x, x, x, padding, false, mask, is_causal: causal).Item1);

        private Tensor Feed(Tensor x) => dropout2.call(linear2.call(dropout.call(TransformerParts.Activate(linear1.call(x), activation))));
    }

    /// <summary>tgt [T, N, E], memory [S, N, E] (batch_first: N first; without a batch: no N) -> the shape of tgt.</summary>
    public class TransformerDecoderLayer : Module<Tensor, Tensor, Tensor?, Tensor?, Tensor?, Tensor?, Tensor>, IModule<Tensor, Tensor, Tensor>
    {
        private readonly MultiheadAttention self_attn, multihead_attn;
        private readonly Linear linear1, linear2;
        private readonly LayerNorm norm1, norm2, norm3;
        private readonly Dropout dropout, dropout1, dropout2, dropout3;
        private readonly Activations activation;
        private readonly bool norm_first;

        public TransformerDecoderLayer(long d_model = 512, long nhead = 8, long dim_feedforward = 2048, double dropout = 0.1, Activations activation = Activations.ReLU, double layer_norm_eps = 1e-5, bool batch_first = false, bool norm_first = false, bool bias = true, Device? device = null, ScalarType? dtype = null) : base(nameof(TransformerDecoderLayer))
        {
            (this.activation, this.norm_first) = (activation, norm_first);
            self_attn = Child("self_attn", new MultiheadAttention(d_model, nhead, dropout, bias, batch_first: batch_first, device: device, dtype: dtype));
            multihead_attn = Child("multihead_attn", new MultiheadAttention(d_model, nhead, dropout, bias, batch_first: batch_first, device: device, dtype: dtype));
            linear1 = Child("linear1", new Linear(d_model, dim_feedforward, bias, device, dtype));
            this.dropout = Child("dropout", new Dropout(dropout));
            linear2 = Child("linear2", new Linear(dim_feedforward, d_model, bias, device, dtype));
            norm1 = Child("norm1", new LayerNorm([d_model], layer_norm_eps, true, bias, device, dtype));
            norm2 = Child("norm2", new LayerNorm([d_model], layer_norm_eps, true, bias, device, dtype));
            norm3 = Child("norm3", new LayerNorm([d_model], layer_norm_eps, true, bias, device, dtype));
            dropout1 = Child("dropout1", new Dropout(dropout));
            dropout2 = Child("dropout2", new Dropout(dropout));
            dropout3 = Child("dropout3", new Dropout(dropout));
        }

        private TransformerDecoderLayer(TransformerDecoderLayer other) : base(nameof(TransformerDecoderLayer))
        {
            (activation, norm_first) = (other.activation, other.norm_first);
            self_attn = Child("self_attn", other.self_attn.Copy());
            multihead_attn = Child("multihead_attn", other.multihead_attn.Copy());
            linear1 = Child("linear1", Copies.Of(other.linear1));
            dropout = Child("dropout", new Dropout(other.dropout.p));
            linear2 = Child("linear2", Copies.Of(other.linear2));
            norm1 = Child("norm1", Copies.Of(other.norm1));
            norm2 = Child("norm2", Copies.Of(other.norm2));
            norm3 = Child("norm3", Copies.Of(other.norm3));
            dropout1 = Child("dropout1", new Dropout(other.dropout1.p));
            dropout2 = Child("dropout2", new Dropout(other.dropout2.p));
            dropout3 = Child("dropout3", new Dropout(other.dropout3.p));
            train(other.training);
        }

        private T Child<T>(string name, T module) where T : torch.nn.Module
        {
            register_module(name, module);
            return module;
        }

        internal TransformerDecoderLayer Copy() => GetType() == typeof(TransformerDecoderLayer)
            ? new(this)
            : throw Error.Argument(nameof(TransformerDecoder), $"only a TransformerDecoderLayer itself can be copied, not the class {GetType().Name} derived from it; put such layers into a ModuleList");

        public override Tensor forward(Tensor tgt, Tensor memory, Tensor? tgt_mask, Tensor? memory_mask, Tensor? tgt_key_padding_mask, Tensor? memory_key_padding_mask) =>
            forward(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, false, false);

        /// <param name="tgt_mask">[T, T] or [N nhead, T, T]: true at places to ignore, or numbers added to the scores; memory_mask likewise, [T, S].</param>
        /// <param name="tgt_key_padding_mask">[N, T]: true at tokens to ignore; memory_key_padding_mask likewise, [N, S].</param>
        /// <param name="tgt_is_causal">A token sees itself and the tokens before it only; tgt_mask is not looked at then. memory_is_causal likewise.</param>
        public Tensor forward(Tensor tgt, Tensor memory, Tensor? tgt_mask, Tensor? memory_mask, Tensor? tgt_key_padding_mask, Tensor? memory_key_padding_mask, bool tgt_is_causal, bool memory_is_causal)
        {
            if (norm_first)
            {
                Tensor n = norm1.call(tgt), a = tgt + dropout1.call(self_attn.call(n, n, n, tgt_key_padding_mask, false, tgt_mask, is_causal: tgt_is_causal).Item1);
                Tensor b = a + dropout2.call(multihead_attn.call(norm2.call(a), memory, memory, memory_key_padding_mask, false, memory_mask, is_causal: memory_is_causal).Item1);
                return b + Feed(norm3.call(b));
            }
            Tensor x = norm1.call(tgt + dropout1.call(self_attn.call(tgt, tgt, tgt, tgt_key_padding_mask, false, tgt_mask, is_causal: tgt_is_causal).Item1));
            Tensor y = norm2.call(x + dropout2.call(multihead_attn.call(x, memory, memory, memory_key_padding_mask, false, memory_mask, is_causal: memory_is_causal).Item1));
            return norm3.call(y + Feed(y));
        }

        public Tensor call(Tensor tgt, Tensor memory) => call(tgt, memory, null);

        public Tensor call(Tensor tgt, Tensor memory, Tensor? tgt_mask, Tensor? memory_mask = null, Tensor? tgt_key_padding_mask = null, Tensor? memory_key_padding_mask = null, bool tgt_is_causal = false, bool memory_is_causal = false) =>
            HasHooks
                ? WithHooks(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, (t, m, tm, mm, tp, mp) => forward(t, m, tm, mm, tp, mp, tgt_is_causal, memory_is_causal))
                : forward(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask, tgt_is_causal, memory_is_causal);

        private Tensor Feed(Tensor x) => dropout3.call(linear2.call(dropout.call(TransformerParts.Activate(linear1.call(x), activation))));
    }

    internal static class TransformerParts
    {
        internal static Tensor Activate(Tensor x, Activations activation) => activation == Activations.GELU ? functional.gelu(x) : functional.relu(x);
    }
}
