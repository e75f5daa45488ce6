using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Modules;

public partial class MultiheadAttention
{
    /// <param name="key_padding_mask">[N, S]: true (or -inf, added to the scores) at keys to ignore.</param>
    /// <param name="need_weights">Return the weights too; else the second result is null and the fused kernel may run.</param>
    /// <param name="attn_mask">[L, S] or [N num_heads, L, S]: true at places to ignore, or numbers added to the scores.</param>
    /// <param name="average_attn_weights">Weights averaged over the heads, [N, L, S]; else [N, num_heads, L, S].</param>
    /// <param name="is_causal">Token i sees the tokens up to i only, whatever attn_mask says.</param>
    /// <exception cref="ArgumentException">Shapes or dtypes do not fit; the text names both.</exception>
    public Tuple<Tensor, Tensor> call(Tensor query, Tensor key, Tensor value, Tensor? key_padding_mask = null, bool need_weights = true, Tensor? attn_mask = null, bool average_attn_weights = true, bool is_causal = false) =>
        HasHooks
            ? WithHooks(query, key, value, key_padding_mask, need_weights, attn_mask, (q, k, v, padding, need, mask) => forward(q, k, v, padding, need, mask, average_attn_weights, is_causal))
            : forward(query, key, value, key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal);

    public override Tuple<Tensor, Tensor> forward(Tensor query, Tensor key, Tensor value, Tensor? key_padding_mask, bool need_weights, Tensor? attn_mask) =>
        forward(query, key, value, key_padding_mask, need_weights, attn_mask, true, false);

    public Tuple<Tensor, Tensor> forward(Tensor query, Tensor key, Tensor value, Tensor? key_padding_mask, bool need_weights, Tensor? attn_mask, bool average_attn_weights, bool is_causal)
    {
        bool single = query.rank == 2;
        CheckShapes(query, key, value);
        if (single)
        {
            Tensor k = key.unsqueeze(BatchDim), v = ReferenceEquals(key, value) ? k : value.unsqueeze(BatchDim);
            Tensor q = ReferenceEquals(query, key) ? k : query.unsqueeze(BatchDim);
            (Tensor y1, Tensor w1) = Batched(q, k, v, key_padding_mask?.unsqueeze(0), need_weights, attn_mask, average_attn_weights, is_causal);
            return Tuple.Create(y1.squeeze(BatchDim), need_weights ? w1.squeeze(0) : null!);
        }
        (Tensor y, Tensor w) = Batched(query, key, value, key_padding_mask, need_weights, attn_mask, average_attn_weights, is_causal);
        return Tuple.Create(y, w);
    }

    private int BatchDim => batch_first ? 0 : 1;

    private (Tensor, Tensor) Batched(Tensor query, Tensor key, Tensor value, Tensor? padding, bool needWeights, Tensor? mask, bool average, bool causal)
    {
        double p = training ? dropout : 0;
        long n = query.sizes[BatchDim], targets = query.sizes[1 - BatchDim], sources = key.sizes[1 - BatchDim];
        CheckMasks(query, padding, mask, n, targets, sources);
        if (causal || (mask is not null && Attention.IsCausal(mask))) (causal, mask) = (true, null);
        int more = (bias_k is null ? 0 : 1) + (add_zero_attn ? 1 : 0); // keys that every query sees
        bool plain = !needWeights && padding is null && mask is null && p == 0 && more == 0, self = ReferenceEquals(query, key) && ReferenceEquals(key, value);
        if (plain && self && in_proj_weight is not null && Attention.TakesPacked(query, head_dim))
        {
            using Tensor projected = functional.linear(query, in_proj_weight, in_proj_bias);
            return (out_proj.call(Attention.Packed(projected, num_heads, batch_first, causal)), null!);
        }
        (Tensor q, Tensor k, Tensor v) = Heads(Project(query, key, value));
        Tensor? hidden = plain ? null : Hidden(padding, mask, causal, n, targets, sources, q);
        if (more > 0 && hidden is not null) hidden = functional.pad(hidden, [0, more]);
        if (hidden?.dtype == ScalarType.Bool) hidden = hidden.logical_not(); // true where attention is allowed
        if (!needWeights) return (out_proj.call(Attention.Join(functional.scaled_dot_product_attention(q, k, v, hidden, p, plain && causal), batch_first)), null!);
        Tensor weights = Attention.Weights(q, k, hidden, 1 / Math.Sqrt(head_dim)); // [N, heads, L, S]
        if (p > 0) weights = functional.dropout(weights, p);
        return (out_proj.call(Attention.Join(weights.matmul(v), batch_first)), average ? weights.mean(1) : weights);
    }

    // Inputs that are the same tensor are projected in one product; [tokens, batch, E] or [batch, tokens, E] each.
    private (Tensor, Tensor, Tensor) Project(Tensor query, Tensor key, Tensor value)
    {
        if (in_proj_weight is null)
            return (functional.linear(query, q_proj_weight!, Bias(0, 1)), functional.linear(key, k_proj_weight!, Bias(1, 1)), functional.linear(value, v_proj_weight!, Bias(2, 1)));
        if (ReferenceEquals(query, key) && ReferenceEquals(key, value))
        {
            Tensor[] all = functional.linear(query, in_proj_weight, in_proj_bias).chunk(3, -1);
            return (all[0], all[1], all[2]);
        }
        Tensor q = functional.linear(query, Weight(0, 1), Bias(0, 1));
        if (!ReferenceEquals(key, value)) return (q, functional.linear(key, Weight(1, 1), Bias(1, 1)), functional.linear(value, Weight(2, 1), Bias(2, 1)));
        Tensor[] both = functional.linear(key, Weight(1, 2), Bias(1, 2)).chunk(2, -1);
        return (q, both[0], both[1]);

        Tensor Weight(int first, int count) => in_proj_weight.narrow(0, first * embed_dim, count * embed_dim);
        Tensor? Bias(int first, int count) => in_proj_bias?.narrow(0, first * embed_dim, count * embed_dim);
    }

    // [N, heads, tokens, width] each; keys and values get bias_k, bias_v and zeros at the end.
    private (Tensor, Tensor, Tensor) Heads((Tensor Q, Tensor K, Tensor V) x)
    {
        if (bias_k is not null && bias_v is not null)
        {
            long[] row = batch_first ? [x.K.sizes[0], 1, embed_dim] : [1, x.K.sizes[1], embed_dim];
            x.K = cat([x.K, bias_k.expand(row)], 1 - BatchDim);
            x.V = cat([x.V, bias_v.expand(row)], 1 - BatchDim);
        }
        Tensor q = Attention.Split(x.Q, num_heads, batch_first), k = Attention.Split(x.K, num_heads, batch_first), v = Attention.Split(x.V, num_heads, batch_first);
        if (!add_zero_attn) return (q, k, v);
        Tensor none = zeros([k.sizes[0], num_heads, 1, head_dim], k.dtype, k.device);
        return (q, cat([k, none], 2), cat([v, none], 2));
    }

    // Everything that hides a key, broadcast to [N, heads, L, S]: true where hidden, or numbers to add.
    private Tensor? Hidden(Tensor? padding, Tensor? mask, bool causal, long n, long targets, long sources, Tensor like)
    {
        if (mask?.rank == 3) mask = mask.reshape(n, num_heads, targets, sources);
        Tensor? all = Both(mask, padding?.reshape(n, 1, 1, sources), like);
        return causal ? Both(all, Attention.Causal(targets, sources, like.device).logical_not(), like) : all;
    }

    private static Tensor? Both(Tensor? a, Tensor? b, Tensor like)
    {
        if (a is null || b is null) return a ?? b;
        return a.dtype == ScalarType.Bool && b.dtype == ScalarType.Bool ? a.logical_or(b) : Numbers(a, like) + Numbers(b, like);
    }

    private static Tensor Numbers(Tensor mask, Tensor like) => mask.dtype == ScalarType.Bool
        ? zeros(mask.sizes, like.dtype, like.device).masked_fill(mask, double.NegativeInfinity)
        : mask.to(like.dtype);

    private void CheckShapes(Tensor query, Tensor key, Tensor value)
    {
        string given = $"query {Error.Shape(query.sizes)}, key {Error.Shape(key.sizes)}, value {Error.Shape(value.sizes)}";
        if (query.rank is not (2 or 3) || key.rank != query.rank || value.rank != query.rank)
            throw Error.Argument(Name, $"query, key and value must have 3 dimensions, or 2 without a batch, not {given}");
        if (query.sizes[^1] != embed_dim || key.sizes[^1] != kdim || value.sizes[^1] != vdim)
            throw Error.Argument(Name, $"the widths must be {embed_dim}, {kdim} and {vdim}, not those of {given}");
        if (!key.sizes.AsSpan(0, key.rank - 1).SequenceEqual(value.sizes.AsSpan(0, value.rank - 1)))
            throw Error.Argument(Name, $"key and value must have the same length and batch, not {given}");
        if (query.rank == 3 && query.sizes[BatchDim] != key.sizes[BatchDim])
            throw Error.Argument(Name, $"query and key must have the same batch, dimension {BatchDim} with batch_first: {(batch_first ? "true" : "false")}, not {given}");
    }

    private void CheckMasks(Tensor query, Tensor? padding, Tensor? mask, long n, long targets, long sources)
    {
        if (padding is not null && !padding.sizes.AsSpan().SequenceEqual([n, sources]))
            throw Error.Argument(Name, $"key_padding_mask must have shape {Error.Shape([n, sources])}, not {Error.Shape(padding.sizes)}");
        if (mask is not null && !mask.sizes.AsSpan().SequenceEqual([targets, sources]) && !mask.sizes.AsSpan().SequenceEqual([n * num_heads, targets, sources]))
            throw Error.Argument(Name, $"attn_mask must have shape {Error.Shape([targets, sources])} or {Error.Shape([n * num_heads, targets, sources])}, not {Error.Shape(mask.sizes)}");
        CheckMask(padding);
        CheckMask(mask);
        Elementwise.SameDevice(Name, query, padding, mask);
    }

    private static void CheckMask(Tensor? mask)
    {
        if (mask is not null && mask.dtype != ScalarType.Bool && !mask.is_floating_point()) throw Error.Argument(Name, $"a mask must be of bool or floating point, not of {mask.dtype.name()}");
    }
}
