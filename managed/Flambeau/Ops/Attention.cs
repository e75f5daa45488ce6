namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>
            /// softmax(q k^T / sqrt(width) + mask) v; query [.., n, width], key [.., m, width], value [.., m, any]. A bool mask is true where attention is allowed.
            /// </summary>
            /// <param name="p">Probability of dropping a weight.</param>
            /// <param name="is_casual">Token i sees the tokens up to i only (TorchSharp's spelling of causal).</param>
            public static Tensor scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask = null, double p = 0, bool is_casual = false)
            {
                if (query.rank < 2 || key.rank < 2 || query.sizes[^1] != key.sizes[^1])
                    throw Error.Argument("scaled_dot_product_attention", $"query {Error.Shape(query.sizes)} and key {Error.Shape(key.sizes)} differ in width");
                if (is_casual && attn_mask is not null) throw Error.Argument("scaled_dot_product_attention", "is_casual makes a mask of its own; give no other");
                if (is_casual) attn_mask = Causal(query.sizes[^2], key.sizes[^2], query.device);
                Tensor scores = (query * (1 / Math.Sqrt(query.sizes[^1]))).matmul(key.transpose(-2, -1)); // [.., n, m]
                if (attn_mask?.dtype == ScalarType.Bool) scores = where(attn_mask, scores, double.NegativeInfinity);
                else if (attn_mask is not null) scores = scores + attn_mask;
                Tensor weights = scores.softmax(-1);
                return (p > 0 ? dropout(weights, p, training: true) : weights).matmul(value);
            }

            private static Tensor Causal(long n, long m, Device device) => arange(n, device: device).unsqueeze(1) >= arange(m, device: device).unsqueeze(0);
        }
    }
}
