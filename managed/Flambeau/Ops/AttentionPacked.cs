namespace Flambeau;

/// <summary>Heads as views of the projections that they come from: nothing is copied on the way in or out.</summary>
internal static unsafe partial class Attention
{
    internal static bool TakesPacked(torch.Tensor x, long width) => x.is_floating_point() && (width <= WidestOnCuda || !x.is_cuda);

    /// <summary>Self-attention of packed projections qkv [a, b, 3 heads width] -> [a, b, heads width], a and b being batch and tokens or the reverse.</summary>
    internal static torch.Tensor Packed(torch.Tensor qkv, long heads, bool batchFirst, bool causal)
    {
        using Temporaries made = Temporaries.Open();
        torch.Tensor x = qkv.contiguous();
        long[] shape = [x.sizes[0], x.sizes[1], x.sizes[2] / 3];
        double scale = 1 / Math.Sqrt(shape[2] / heads);
        torch.Tensor y = new(shape, x.dtype, x.device), q = Part(x, 0, heads, batchFirst);
        torch.ScalarType wide = x.dtype == torch.ScalarType.Float64 ? torch.ScalarType.Float64 : torch.ScalarType.Float32;
        torch.Tensor lse = new(q.sizes.AsSpan(0, 3), wide, x.device);
        Forward(q, Part(x, 1, heads, batchFirst), Part(x, 2, heads, batchFirst), HeadsOf(y, heads, batchFirst), lse, scale, causal);
        return made.Keep(Graph.Record(Name, y, [qkv], [x, y, lse], (n, dy) => [Engine.Recording ? PackedByFormula(n, dy, heads, batchFirst, scale, causal) : PackedBackward(n, dy, heads, batchFirst, scale, causal)]));
    }

    private static torch.Tensor PackedBackward(Node n, torch.Tensor dy, long heads, bool batchFirst, double scale, bool causal)
    {
        torch.Tensor x = n[0], dx = new(x.sizes, x.dtype, x.device);
        torch.Tensor g = HeadsOf(dy.contiguous(), heads, batchFirst), y = HeadsOf(n[1], heads, batchFirst);
        Gradients(g, Part(x, 0, heads, batchFirst), Part(x, 1, heads, batchFirst), Part(x, 2, heads, batchFirst), y, n[2],
            Part(dx, 0, heads, batchFirst), Part(dx, 1, heads, batchFirst), Part(dx, 2, heads, batchFirst), scale, causal);
        return dx;
    }

    private static torch.Tensor PackedByFormula(Node n, torch.Tensor dy, long heads, bool batchFirst, double scale, bool causal)
    {
        torch.Tensor[] parts = [.. n[0].chunk(3, -1).Select(p => Split(p, heads, batchFirst))];
        (torch.Tensor dq, torch.Tensor dk, torch.Tensor dv) = Formula(parts[0], parts[1], parts[2], Split(dy, heads, batchFirst), scale, causal);
        return torch.cat([Join(dq, batchFirst), Join(dk, batchFirst), Join(dv, batchFirst)], -1);
    }

    // q, k or v (0, 1, 2) of qkv as [batch, heads, tokens, width], outside the graph.
    private static torch.Tensor Part(torch.Tensor qkv, int which, long heads, bool batchFirst)
    {
        long width = qkv.sizes[2] / 3;
        return HeadsOf(qkv.Raw([qkv.sizes[0], qkv.sizes[1], width], qkv.strides, qkv.offset + which * width), heads, batchFirst);
    }

    private static torch.Tensor HeadsOf(torch.Tensor x, long heads, bool batchFirst)
    {
        (int batch, int tokens) = batchFirst ? (0, 1) : (1, 0);
        long width = x.sizes[2] / heads;
        return x.Raw([x.sizes[batch], heads, x.sizes[tokens], width], [x.strides[batch], width, x.strides[tokens], 1], x.offset);
    }

    /// <summary>[batch, tokens, heads width], or [tokens, batch, heads width], as [batch, heads, tokens, width].</summary>
    internal static torch.Tensor Split(torch.Tensor x, long heads, bool batchFirst)
    {
        torch.Tensor y = x.reshape(x.sizes[0], x.sizes[1], heads, x.sizes[2] / heads);
        return batchFirst ? y.transpose(1, 2) : y.permute(1, 2, 0, 3);
    }

    /// <summary>The reverse of Split.</summary>
    internal static torch.Tensor Join(torch.Tensor x, bool batchFirst)
    {
        torch.Tensor y = batchFirst ? x.transpose(1, 2) : x.permute(2, 0, 1, 3);
        return y.reshape(y.sizes[0], y.sizes[1], y.sizes[2] * y.sizes[3]);
    }
}
