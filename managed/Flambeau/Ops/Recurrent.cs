using Flambeau.Interop;

namespace Flambeau;

/// <summary>What a recurrent layer computes; the numbers are flam_rnn's.</summary>
internal enum RecurrentMode
{
    Relu = 0,
    Tanh = 1,
    Lstm = 2,
    Gru = 3,
}

/// <summary>One layer of a recurrent network in one direction over a whole sequence: one kernel and one node of the graph.</summary>
internal static unsafe class Recurrent
{
    internal static int Gates(RecurrentMode mode) => mode switch { RecurrentMode.Lstm => 4, RecurrentMode.Gru => 3, _ => 1 };

    /// <summary>
    /// gates [steps, batch, G hidden]: the input's share of the pre-activations, biases included; its memory is taken over. w [G hidden, hidden],
    /// bias [hidden] of a GRU's n, states [batch, hidden] or null for zeros. Returns the outputs [steps, batch, hidden] and the last states.
    /// </summary>
    internal static (torch.Tensor Y, torch.Tensor H, torch.Tensor? C) Run(string name, RecurrentMode mode, torch.Tensor gates, torch.Tensor w, torch.Tensor? bias, torch.Tensor? h0, torch.Tensor? c0, bool reverse)
    {
        if (gates.dtype is torch.ScalarType.Float16 or torch.ScalarType.BFloat16 && !gates.is_cuda) return Widened(name, mode, gates, w, bias, h0, c0, reverse);
        long steps = gates.sizes[0], batch = gates.sizes[1], hidden = w.sizes[1];
        torch.Tensor cw = w.contiguous(), h = States(name, steps, batch, hidden, gates, h0, reverse);
        torch.Tensor? cb = bias?.contiguous(), aux = mode switch
        {
            RecurrentMode.Lstm => States(name, steps, batch, hidden, gates, c0, reverse),
            RecurrentMode.Gru => new torch.Tensor([steps, batch, hidden], gates.dtype, gates.device),
            _ => null,
        };
        using (Borrow bg = gates.Borrow(name, out flam_tensor vg), bw = cw.Borrow(name, out flam_tensor vw), bb = (cb ?? gates).Borrow(name, out flam_tensor vb))
        using (Borrow bh = h.Borrow(name, out flam_tensor vh), ba = (aux ?? gates).Borrow(name, out flam_tensor va))
            Error.Check(Native.flam_rnn((int)mode, reverse ? 1 : 0, &vg, &vw, cb is null ? null : &vb, &vh, aux is null ? null : &va), name);
        torch.Tensor y = h.Raw([steps, batch, hidden], h.strides, h.offset + (reverse ? 0 : batch * hidden));
        torch.Tensor last = State(h, reverse ? 0 : steps);
        torch.Tensor? cell = mode == RecurrentMode.Lstm ? State(aux!, reverse ? 0 : steps) : null;
        ReadOnlySpan<torch.Tensor> outputs = cell is null ? [y, last] : [y, last, cell];
        Graph.RecordMany(name, outputs, [gates, w, bias, h0, c0], [gates, cw, h, aux], (n, dy) => Backward(name, mode, n, dy, reverse));
        return (y, last, cell);
    }

    private static torch.Tensor?[] Backward(string name, RecurrentMode mode, Node n, torch.Tensor[] dys, bool reverse)
    {
        if (Engine.Recording) throw Error.Unsupported(name, $"the fused sequence has no second derivative; call nn.{name}Cell for each step, which has one");
        torch.Tensor a = n[0], w = n[1], h = n[2], dy = dys[0].contiguous(), d = Rows(a);
        long steps = a.sizes[0], batch = a.sizes[1], hidden = w.sizes[1];
        torch.Tensor dh = dys[1].contiguous().clone();
        torch.Tensor? dc = mode == RecurrentMode.Lstm ? dys[2].contiguous().clone() : null, aux = mode is RecurrentMode.Lstm or RecurrentMode.Gru ? n[3] : null;
        torch.Tensor? dm = mode == RecurrentMode.Gru ? new torch.Tensor([steps, batch, hidden], a.dtype, a.device) : null;
        using (Borrow bg = dy.Borrow(name, out flam_tensor vg), ba = a.Borrow(name, out flam_tensor va), bw = w.Borrow(name, out flam_tensor vw), bh = h.Borrow(name, out flam_tensor vh))
        using (Borrow bx = (aux ?? a).Borrow(name, out flam_tensor vx), bd = d.Borrow(name, out flam_tensor vd), bm = (dm ?? d).Borrow(name, out flam_tensor vm))
        using (Borrow bdh = dh.Borrow(name, out flam_tensor vdh), bdc = (dc ?? dh).Borrow(name, out flam_tensor vdc))
            Error.Check(Native.flam_rnn_backward((int)mode, reverse ? 1 : 0, &vg, &va, &vw, &vh, aux is null ? null : &vx, &vd, dm is null ? null : &vm, &vdh, dc is null ? null : &vdc), name);
        return [d, n.Needs(1) ? WeightGradient(name, d, dm, h, reverse) : null, n.Needs(2) ? dm?.sum([0, 1]) : null, dh, dc];
    }

    // Products that read columns a multiple of 4 KB apart, which share one set of the first cache, take twice their time on the CPU: three
    // lines between the rows spread them (an LSTM of 256 units: dW and the input's dW 23 -> 12 ms on one core).
    private static torch.Tensor Rows(torch.Tensor like)
    {
        long bytes = like.dtype.ElementSize(), wide = like.sizes[2], pitch = !like.is_cuda && wide * bytes % 4096 == 0 ? wide + 192 / bytes : wide;
        torch.Tensor rows = new([like.sizes[0], like.sizes[1], pitch], like.dtype, like.device);
        return rows.Raw(like.sizes, rows.strides, 0);
    }

    // dW = d^T h, summed over all steps: one product; a GRU's n has its own d.
    private static torch.Tensor WeightGradient(string name, torch.Tensor d, torch.Tensor? dm, torch.Tensor h, bool reverse)
    {
        long rows = d.sizes[0] * d.sizes[1], wide = d.sizes[2], pitch = d.strides[1], hidden = h.sizes[2], first = dm is null ? wide : wide - hidden;
        torch.Tensor before = h.Raw([rows, hidden], [hidden, 1], h.offset + (reverse ? d.sizes[1] * hidden : 0));
        torch.Tensor dw = new([wide, hidden], d.dtype, d.device);
        MatrixProduct.Run(name, d.Raw([first, rows], [1, pitch], d.offset), before, null, 1, 0, dw.Raw([first, hidden], [hidden, 1], 0));
        if (dm is not null) MatrixProduct.Run(name, dm.Raw([hidden, rows], [1, hidden], dm.offset), before, null, 1, 0, dw.Raw([hidden, hidden], [hidden, 1], first * hidden));
        return dw;
    }

    // [steps + 1, batch, hidden] with the state before the sequence in its place.
    private static torch.Tensor States(string name, long steps, long batch, long hidden, torch.Tensor like, torch.Tensor? start, bool reverse)
    {
        torch.Tensor states = new([steps + 1, batch, hidden], like.dtype, like.device), place = State(states, reverse ? steps : 0);
        if (start is null) Elementwise.Fill(name, place, 0);
        else Elementwise.Copy(name, start, place);
        return states;
    }

    private static torch.Tensor State(torch.Tensor states, long i) => states.Raw(states.sizes.AsSpan(1), states.strides.AsSpan(1), states.offset + i * states.strides[0]);

    private static (torch.Tensor, torch.Tensor, torch.Tensor?) Widened(string name, RecurrentMode mode, torch.Tensor gates, torch.Tensor w, torch.Tensor? bias, torch.Tensor? h0, torch.Tensor? c0, bool reverse)
    {
        const torch.ScalarType wide = torch.ScalarType.Float32;
        (torch.Tensor y, torch.Tensor h, torch.Tensor? c) = Run(name, mode, gates.to(wide), w.to(wide), bias?.to(wide), h0?.to(wide), c0?.to(wide), reverse);
        return (y.to(gates.dtype), h.to(gates.dtype), c?.to(gates.dtype));
    }
}
