using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>
/// A convolution seen as a bilinear map and its two transposes. With F the convolution, y = F(x, w), the other two are dx = X(dy, w) and
/// dw = W(dy, x); the derivatives of each of the three are the other two, so any order of differentiation works.
/// </summary>
internal static unsafe class Convolution
{
    /// <summary>y = F(x, w) + bias. x [batch, in, spatial...], w [out, in / groups, kernel...].</summary>
    internal static Tensor Forward(string name, Tensor x, Tensor w, Tensor? bias, flam_conv p)
    {
        Tensor cx = x.contiguous(), cw = w.contiguous(), cb = bias?.contiguous() ?? cw, y = new(OutputSizes(name, x.sizes, w.sizes, p), x.dtype, x.device);
        flam_tensor vbias = default;
        flam_conv q = p; // the address of what a lambda captures cannot be taken
        using (Borrow bx = cx.Borrow(name, out flam_tensor vx), bw = cw.Borrow(name, out flam_tensor vw), bb = cb.Borrow(name, out vbias), by = y.Borrow(name, out flam_tensor vy))
            Error.Check(Native.flam_conv_forward(&vx, &vw, bias is null ? null : &vbias, &vy, &q), name);
        long[] xSizes = x.sizes, wSizes = w.sizes;
        bool needX = Graph.Needed(x), needW = Graph.Needed(w);
        // dx = X(dy, w), dw = W(dy, x), db = sum of dy over all but channels
        return Graph.Record(name, y, [x, w, bias], [needW ? cx : null, needX ? cw : null], (n, dy) =>
        [
            n.Needs(0) ? BackwardInput(name, dy, n[1], null, xSizes, p) : null,
            n.Needs(1) ? BackwardWeight(name, dy, n[0], wSizes, p) : null,
            n.Needs(2) ? SumButChannels(dy) : null,
        ]);
    }

    /// <summary>dx = X(dy, w) + bias: also the forward of a transposed convolution, whose bias has one entry per channel of dx.</summary>
    internal static Tensor BackwardInput(string name, Tensor dy, Tensor w, Tensor? bias, long[] sizes, flam_conv p)
    {
        Tensor cy = dy.contiguous(), cw = w.contiguous(), cb = bias?.contiguous() ?? cw, dx = new(sizes, dy.dtype, dy.device);
        flam_tensor vbias = default;
        flam_conv q = p; // the address of what a lambda captures cannot be taken
        using (Borrow by = cy.Borrow(name, out flam_tensor vy), bw = cw.Borrow(name, out flam_tensor vw), bb = cb.Borrow(name, out vbias), bx = dx.Borrow(name, out flam_tensor vx))
            Error.Check(Native.flam_conv_backward_input(&vy, &vw, bias is null ? null : &vbias, &vx, &q), name);
        long[] wSizes = w.sizes;
        bool needY = Graph.Needed(dy), needW = Graph.Needed(w);
        // with g the gradient of dx: ddy = F(g, w), dw = W(dy, g), db = sum of g over all but channels
        return Graph.Record(name, dx, [dy, w, bias], [needW ? cy : null, needY ? cw : null], (n, g) =>
        [
            n.Needs(0) ? Forward(name, g, n[1], null, p) : null,
            n.Needs(1) ? BackwardWeight(name, n[0], g, wSizes, p) : null,
            n.Needs(2) ? SumButChannels(g) : null,
        ]);
    }

    /// <summary>dw = W(dy, x).</summary>
    internal static Tensor BackwardWeight(string name, Tensor dy, Tensor x, long[] sizes, flam_conv p)
    {
        Tensor cy = dy.contiguous(), cx = x.contiguous(), dw = new(sizes, dy.dtype, dy.device);
        flam_conv q = p; // the address of what a lambda captures cannot be taken
        using (Borrow by = cy.Borrow(name, out flam_tensor vy), bx = cx.Borrow(name, out flam_tensor vx), bw = dw.Borrow(name, out flam_tensor vw))
            Error.Check(Native.flam_conv_backward_weight(&vy, &vx, &vw, &q), name);
        long[] xSizes = x.sizes;
        bool needY = Graph.Needed(dy), needX = Graph.Needed(x);
        // with g the gradient of dw: ddy = F(x, g), dx = X(dy, g)
        return Graph.Record(name, dw, [dy, x], [needX ? cy : null, needY ? cx : null], (n, g) =>
        [
            n.Needs(0) ? Forward(name, n[1], g, null, p) : null,
            n.Needs(1) ? BackwardInput(name, n[0], g, null, xSizes, p) : null,
        ]);
    }

    /// <summary>out = floor((in + 2 padding - dilation (kernel - 1) - 1) / stride) + 1 along each dimension.</summary>
    internal static long[] OutputSizes(string name, long[] x, long[] w, in flam_conv p)
    {
        var sizes = new long[x.Length];
        (sizes[0], sizes[1]) = (x[0], w[0]);
        for (int i = 0; i < p.nd; i++)
        {
            long padded = x[i + 2] + 2 * p.padding[i], reach = p.dilation[i] * (w[i + 2] - 1) + 1;
            if (reach > padded) throw Error.Argument(name, $"the kernel reaches over {reach} of dimension {i + 2}, which has {padded} with padding: input {Error.Shape(x)}, weight {Error.Shape(w)}");
            sizes[i + 2] = (padded - reach) / p.stride[i] + 1;
        }
        return sizes;
    }

    private static Tensor SumButChannels(Tensor g)
    {
        long[] dims = [0, .. Enumerable.Range(2, g.rank - 2)];
        return g.sum(dims);
    }

    /// <summary>The parameters of nd dimensions; null means the default, one entry stands for all.</summary>
    internal static flam_conv Parameters(string name, int nd, long[]? stride, long[]? padding, long[]? dilation, long groups)
    {
        flam_conv p = new() { nd = nd, groups = checked((int)groups) };
        if (groups < 1) throw Error.Argument(name, $"groups must be at least 1, and is {groups}");
        for (int i = 0; i < 3; i++)
        {
            p.stride[i] = i < nd ? Entry(name, "stride", stride, i, nd, 1) : 1;
            p.padding[i] = i < nd ? Entry(name, "padding", padding, i, nd, 0) : 0;
            p.dilation[i] = i < nd ? Entry(name, "dilation", dilation, i, nd, 1) : 1;
            if (p.stride[i] < 1 || p.dilation[i] < 1 || p.padding[i] < 0)
                throw Error.Argument(name, $"stride {p.stride[i]} and dilation {p.dilation[i]} must be at least 1, padding {p.padding[i]} at least 0");
        }
        return p;
    }

    internal static long Entry(string name, string what, long[]? values, int i, int nd, long standard)
    {
        if (values is null || values.Length == 0) return standard;
        if (values.Length != 1 && values.Length != nd) throw Error.Argument(name, $"{what} {Error.Shape(values)} must have 1 or {nd} entries");
        return values.Length == 1 ? values[0] : values[i];
    }

    /// <summary>Ranks, channels, groups, dtypes and bias. channels: dimension 1 of the input that the weight expects.</summary>
    internal static void Check(string name, Tensor x, Tensor w, Tensor? bias, int nd, long channels, long outputs)
    {
        x.Live(name);
        w.Live(name);
        if (w.rank != nd + 2) throw Error.Argument(name, $"the weight needs {nd + 2} dimensions, not {Error.Shape(w.sizes)}");
        if (x.rank != nd + 2) throw Error.Argument(name, $"the input needs {nd + 1} or {nd + 2} dimensions, not {Error.Shape(x.sizes)}");
        if (x.sizes[1] != channels) throw Error.Argument(name, $"the weight {Error.Shape(w.sizes)} expects {channels} input channels, the input {Error.Shape(x.sizes)} has {x.sizes[1]}");
        if (x.dtype != w.dtype || (bias is not null && bias.dtype != x.dtype))
            throw Error.Argument(name, $"dtypes differ: input {x.dtype.name()}, weight {w.dtype.name()}{(bias is null ? "" : $", bias {bias.dtype.name()}")}");
        if (!x.is_floating_point()) throw Error.Unsupported(name, $"not defined for {x.dtype.name()}");
        if (bias is not null && (bias.rank != 1 || bias.sizes[0] != outputs)) throw Error.Argument(name, $"bias {Error.Shape(bias.sizes)} does not fit {outputs} output channels");
        for (int i = 2; i < w.rank; i++)
            if (w.sizes[i] < 1) throw Error.Argument(name, $"the kernel has a size of 0: weight {Error.Shape(w.sizes)}");
        Elementwise.SameDevice(name, x, w, bias);
    }
}
