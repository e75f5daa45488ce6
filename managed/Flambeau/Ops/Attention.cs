using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>
            /// softmax(q k^T / sqrt(width) + mask) v; query [.., n, width], key [.., m, width], value [.., m, any]. A bool mask is true where attention is allowed.
            /// Without a mask and dropout it never holds all scores at once (Dao et al. 2022, "FlashAttention").
            /// </summary>
            /// <param name="p">Probability of dropping a weight.</param>
            /// <param name="is_casual">Token i sees the tokens up to i only (TorchSharp's spelling of causal).</param>
            public static Tensor scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask = null, double p = 0, bool is_casual = false)
            {
                const string name = "scaled_dot_product_attention";
                if (query.rank < 2 || key.rank < 2 || query.sizes[^1] != key.sizes[^1])
                    throw Error.Argument(name, $"query {Error.Shape(query.sizes)} and key {Error.Shape(key.sizes)} differ in width");
                if (is_casual && attn_mask is not null) throw Error.Argument(name, "is_casual makes a mask of its own; give no other");
                double scale = 1 / Math.Sqrt(query.sizes[^1]);
                using Temporaries made = Temporaries.Open();
                if (attn_mask is null && p == 0 && Attention.Takes(query, key, value))
                    return made.Keep(query.rank == 4
                        ? Attention.Run(query, key, value, scale, is_casual)
                        : Attention.Run(query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1), scale, is_casual).squeeze(1));
                if (is_casual) attn_mask = Attention.Causal(query.sizes[^2], key.sizes[^2], query.device);
                Tensor weights = Attention.Weights(query, key, attn_mask, scale);
                return made.Keep((p > 0 ? dropout(weights, p, training: true) : weights).matmul(value));
            }
        }
    }
}

/// <summary>Scaled dot-product attention of [batch, heads, tokens, width] in one kernel, and its definition.</summary>
internal static unsafe partial class Attention
{
    private const string Name = "scaled_dot_product_attention";
    private const int WidestOnCuda = 128;

    internal static bool Takes(torch.Tensor q, torch.Tensor k, torch.Tensor v)
    {
        if (q.rank is not (3 or 4) || k.rank != q.rank || v.rank != q.rank) return false;
        ReadOnlySpan<long> batch = q.sizes.AsSpan(0, q.rank - 2);
        bool shapes = batch.SequenceEqual(k.sizes.AsSpan(0, k.rank - 2)) && k.sizes.AsSpan().SequenceEqual(v.sizes);
        bool dtypes = q.dtype is torch.ScalarType.Float32 or torch.ScalarType.Float64 or torch.ScalarType.Float16 or torch.ScalarType.BFloat16;
        return shapes && dtypes && k.dtype == q.dtype && v.dtype == q.dtype && k.device == q.device && v.device == q.device
            && (q.sizes[^1] <= WidestOnCuda || q.device.type != DeviceType.CUDA);
    }

    /// <summary>Whether a mask of the CPU hides exactly what lies above the diagonal; a bool one is true where it hides.</summary>
    internal static bool IsCausal(torch.Tensor mask)
    {
        if (mask.rank != 2 || mask.sizes[0] != mask.sizes[1] || mask.sizes[0] < 2 || mask.is_cuda || mask.requires_grad) return false;
        using IDisposable _ = torch.no_grad();
        int n = (int)mask.sizes[0];
        if (mask.dtype == torch.ScalarType.Bool) return IsCausal(mask.contiguous().data<bool>().ToArray(), n, false, true);
        return mask.is_floating_point() && IsCausal(mask.to(torch.ScalarType.Float32).contiguous().data<float>().ToArray(), n, 0f, float.NegativeInfinity);
    }

    private static bool IsCausal<T>(ReadOnlySpan<T> mask, int n, T seen, T hidden)
        where T : IEquatable<T>
    {
        for (int i = 0; i < n; i++)
        {
            ReadOnlySpan<T> row = mask.Slice(i * n, n);
            if (row[..(i + 1)].ContainsAnyExcept(seen) || row[(i + 1)..].ContainsAnyExcept(hidden)) return false;
        }
        return true;
    }

    internal static torch.Tensor Causal(long n, long m, torch.Device device) =>
        torch.arange(n, device: device).unsqueeze(1) >= torch.arange(m, device: device).unsqueeze(0);

    // softmax(scale q k^T + mask)
    internal static torch.Tensor Weights(torch.Tensor q, torch.Tensor k, torch.Tensor? mask, double scale)
    {
        torch.Tensor scores = (q * scale).matmul(k.transpose(-2, -1)); // [.., n, m]
        if (mask?.dtype == torch.ScalarType.Bool) scores = torch.where(mask, scores, double.NegativeInfinity);
        else if (mask is not null) scores = scores + mask;
        return scores.softmax(-1);
    }

    internal static torch.Tensor Run(torch.Tensor query, torch.Tensor key, torch.Tensor value, double scale, bool causal)
    {
        torch.Tensor q = Rows(query), k = Rows(key), v = Rows(value), y = Like(q);
        torch.ScalarType wide = q.dtype == torch.ScalarType.Float64 ? torch.ScalarType.Float64 : torch.ScalarType.Float32;
        torch.Tensor lse = new(q.sizes.AsSpan(0, 3), wide, q.device);
        Forward(q, k, v, y, lse, scale, causal);
        return Graph.Record(Name, y, [q, k, v], [q, k, v, y, lse], (n, dy) =>
            Engine.Recording ? ByFormula(n, dy, scale, causal) : Backward(n, Rows(dy), scale, causal));
    }

    private static torch.Tensor?[] Backward(Node n, torch.Tensor dy, double scale, bool causal)
    {
        torch.Tensor q = n[0], k = n[1], v = n[2], dq = Like(q), dk = Like(k), dv = Like(v);
        Gradients(dy, q, k, v, n[3], n[4], dq, dk, dv, scale, causal);
        return [dq, dk, dv];
    }

    private static void Forward(torch.Tensor q, torch.Tensor k, torch.Tensor v, torch.Tensor y, torch.Tensor lse, double scale, bool causal)
    {
        using Borrow bq = q.Borrow(Name, out flam_tensor vq), bk = k.Borrow(Name, out flam_tensor vk), bv = v.Borrow(Name, out flam_tensor vv);
        using Borrow by = y.Borrow(Name, out flam_tensor vy), bl = lse.Borrow(Name, out flam_tensor vl);
        Error.Check(Native.flam_attention(&vq, &vk, &vv, &vy, &vl, scale, causal ? 1 : 0), Name);
    }

    private static void Gradients(torch.Tensor dy, torch.Tensor q, torch.Tensor k, torch.Tensor v, torch.Tensor y, torch.Tensor lse, torch.Tensor dq, torch.Tensor dk, torch.Tensor dv, double scale, bool causal)
    {
        using (Borrow bg = dy.Borrow(Name, out flam_tensor vg), bq = q.Borrow(Name, out flam_tensor vq), bk = k.Borrow(Name, out flam_tensor vk), bv = v.Borrow(Name, out flam_tensor vv))
        using (Borrow by = y.Borrow(Name, out flam_tensor vy), bl = lse.Borrow(Name, out flam_tensor vl))
        using (Borrow bdq = dq.Borrow(Name, out flam_tensor vdq), bdk = dk.Borrow(Name, out flam_tensor vdk), bdv = dv.Borrow(Name, out flam_tensor vdv))
            Error.Check(Native.flam_attention_backward(&vg, &vq, &vk, &vv, &vy, &vl, &vdq, &vdk, &vdv, scale, causal ? 1 : 0), Name);
    }

    private static torch.Tensor?[] ByFormula(Node n, torch.Tensor dy, double scale, bool causal)
    {
        (torch.Tensor dq, torch.Tensor dk, torch.Tensor dv) = Formula(n[0], n[1], n[2], dy, scale, causal);
        return [dq, dk, dv];
    }

    // The same of differentiable ops: dv = p^T dy, ds = scale p (dy v^T - sum(dy v^T p)), dq = ds k, dk = ds^T q
    private static (torch.Tensor, torch.Tensor, torch.Tensor) Formula(torch.Tensor q, torch.Tensor k, torch.Tensor v, torch.Tensor dy, double scale, bool causal)
    {
        torch.Tensor p = Weights(q, k, causal ? Causal(q.sizes[2], k.sizes[2], q.device) : null, scale);
        torch.Tensor dp = dy.matmul(v.transpose(-2, -1)), ds = p * (dp - (dp * p).sum(-1, keepdim: true)) * scale;
        return (ds.matmul(k), ds.transpose(-2, -1).matmul(q), p.transpose(-2, -1).matmul(dy));
    }

    // The kernels read rows without gaps.
    private static torch.Tensor Rows(torch.Tensor x) => x.strides[^1] == 1 || x.sizes[^1] == 1 ? x : x.contiguous();

    // As x lies in memory: heads are often a view of [batch, tokens, heads, width], and what follows turns the result back.
    private static torch.Tensor Like(torch.Tensor x)
    {
        Span<int> order = [0, 1, 2, 3]; // outermost in memory first
        for (int i = 1; i < 3; i++)
            for (int j = i; j > 0 && x.strides[order[j - 1]] < x.strides[order[j]]; j--) (order[j - 1], order[j]) = (order[j], order[j - 1]);
        Span<long> sizes = stackalloc long[4], strides = stackalloc long[4];
        for (int i = 0; i < 4; i++) sizes[i] = x.sizes[order[i]];
        var y = new torch.Tensor(sizes, x.dtype, x.device);
        for (int i = 0; i < 4; i++) strides[order[i]] = y.strides[i];
        y.strides = strides.ToArray();
        y.sizes = [.. x.sizes];
        return y;
    }
}
