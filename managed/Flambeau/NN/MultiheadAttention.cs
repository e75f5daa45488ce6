using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>softmax(q k^T / sqrt(width)) v in several heads, between linear projections (Vaswani et al., 2017).</summary>
            /// <param name="kdim">Width of the keys' input, embedded_dim if null; vdim likewise.</param>
            /// <param name="batch_first">Tensors are [batch, tokens, width] instead of [tokens, batch, width].</param>
            public static MultiheadAttention MultiheadAttention(long embedded_dim, long num_heads, double dropout = 0, bool bias = true, bool add_bias_kv = false, bool add_zero_attn = false, long? kdim = null, long? vdim = null, bool batch_first = false, Device? device = null, ScalarType? dtype = null) =>
                new(embedded_dim, num_heads, dropout, bias, add_bias_kv, add_zero_attn, kdim, vdim, batch_first, device, dtype);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>
    /// Attention in several heads between linear projections. query [L, N, E], key [S, N, kdim], value [S, N, vdim] (batch_first: N first; without
    /// a batch: no N) give the output [L, N, E] and the weights [N, L, S]. Without weights and masks, or with the causal one, it runs fused.
    /// </summary>
    public partial class MultiheadAttention : Module<Tensor, Tensor, Tensor, Tensor?, bool, Tensor?, Tuple<Tensor, Tensor>>
    {
        private const string Name = nameof(MultiheadAttention);

        public MultiheadAttention(long embedded_dim, long num_heads, double dropout = 0, bool bias = true, bool add_bias_kv = false, bool add_zero_attn = false, long? kdim = null, long? vdim = null, bool batch_first = false, Device? device = null, ScalarType? dtype = null) : base(Name)
        {
            if (num_heads < 1 || embedded_dim < 1 || embedded_dim % num_heads != 0) throw Error.Argument(Name, $"a width of {embedded_dim} does not divide into {num_heads} heads");
            if (dropout is not (>= 0 and <= 1)) throw Error.Argument(Name, $"the probability of dropout must be from 0 to 1, not {dropout}");
            (embed_dim, this.num_heads, this.dropout, this.add_zero_attn, this.batch_first) = (embedded_dim, num_heads, dropout, add_zero_attn, batch_first);
            (this.kdim, this.vdim) = (kdim ?? embed_dim, vdim ?? embed_dim);
            if (this.kdim == embed_dim && this.vdim == embed_dim) Register("in_proj_weight", 3 * embed_dim, embed_dim);
            else
            {
                Register("q_proj_weight", embed_dim, embed_dim);
                Register("k_proj_weight", embed_dim, this.kdim);
                Register("v_proj_weight", embed_dim, this.vdim);
            }
            if (bias) Register("in_proj_bias", 3 * embed_dim);
            out_proj = new OutputProjection(embed_dim, bias, device, dtype);
            register_module("out_proj", out_proj);
            if (add_bias_kv)
            {
                Register("bias_k", 1, 1, embed_dim);
                Register("bias_v", 1, 1, embed_dim);
            }
            reset_parameters();

            void Register(string name, params long[] sizes) => register_parameter(name, new Parameter(empty(sizes, dtype, device)));
        }

        public long embed_dim { get; }

        public long num_heads { get; }

        public long head_dim => embed_dim / num_heads;

        public double dropout { get; set; }

        public long kdim { get; }

        public long vdim { get; }

        public bool batch_first { get; }

        public bool add_zero_attn { get; }

        /// <summary>The three projections below each other, [3 E, E]; null where kdim or vdim differ from E.</summary>
        public Parameter? in_proj_weight { get; private set; }

        public Parameter? q_proj_weight { get; private set; }

        public Parameter? k_proj_weight { get; private set; }

        public Parameter? v_proj_weight { get; private set; }

        /// <summary>[3 E]</summary>
        public Parameter? in_proj_bias { get; private set; }

        /// <summary>A learned key behind the others, [1, 1, E]; bias_v is its value.</summary>
        public Parameter? bias_k { get; private set; }

        public Parameter? bias_v { get; private set; }

        public Linear out_proj { get; private set; }

        public override void register_parameter(string name, Parameter? param)
        {
            base.register_parameter(name, param);
            switch (name)
            {
                case "in_proj_weight": in_proj_weight = param; break;
                case "q_proj_weight": q_proj_weight = param; break;
                case "k_proj_weight": k_proj_weight = param; break;
                case "v_proj_weight": v_proj_weight = param; break;
                case "in_proj_bias": in_proj_bias = param; break;
                case "bias_k": bias_k = param; break;
                case "bias_v": bias_v = param; break;
            }
        }

        public override void register_module(string name, torch.nn.Module submodule)
        {
            base.register_module(name, submodule);
            if (name == "out_proj" && submodule is Linear linear) out_proj = linear;
        }

        public void reset_parameters()
        {
            foreach (Parameter? w in new[] { in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight })
                if (w is not null) init.xavier_uniform_(w);
            if (in_proj_bias is not null) init.zeros_(in_proj_bias);
            if (out_proj.bias is not null) init.zeros_(out_proj.bias);
            if (bias_k is not null) init.xavier_normal_(bias_k);
            if (bias_v is not null) init.xavier_normal_(bias_v);
        }

        /// <summary>Another one with the same parameters, made without drawing numbers.</summary>
        internal MultiheadAttention Copy()
        {
            var copy = new MultiheadAttention(this);
            copy.train(training);
            return copy;
        }

        private MultiheadAttention(MultiheadAttention other) : base(Name)
        {
            (embed_dim, num_heads, dropout, add_zero_attn, batch_first) = (other.embed_dim, other.num_heads, other.dropout, other.add_zero_attn, other.batch_first);
            (kdim, vdim) = (other.kdim, other.vdim);
            foreach ((string name, Parameter p) in other.named_parameters(recurse: false)) register_parameter(name, Copies.Of(p));
            out_proj = new OutputProjection(other.out_proj);
            register_module("out_proj", out_proj);
        }

        /// <summary>A Linear under the name that PyTorch prints.</summary>
        private sealed class OutputProjection : Linear
        {
            internal OutputProjection(long width, bool bias, Device? device, ScalarType? dtype) : base(width, width, bias, device, dtype) { }

            internal OutputProjection(Linear other) : base(Copies.Of(other.weight), other.bias is null ? null : Copies.Of(other.bias)) { }

            private protected override string ReportedName => "NonDynamicallyQuantizableLinear";
        }
    }
}
