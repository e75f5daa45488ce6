using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>The forwards of pooling and their transposes, over [planes, spatial...]. All but the choice of maxima is linear.</summary>
internal static unsafe class Pooling
{
    /// <summary>The window of nd dimensions; stride null or empty means kernel.</summary>
    internal static flam_pool Window(string name, int nd, long[] kernel, long[]? stride, long[]? padding, long[]? dilation)
    {
        flam_pool p = new() { nd = nd };
        for (int i = 0; i < 3; i++)
        {
            p.kernel[i] = i < nd ? Convolution.Entry(name, "kernel_size", kernel, i, nd, 1) : 1;
            p.stride[i] = i < nd ? Convolution.Entry(name, "stride", stride, i, nd, p.kernel[i]) : 1;
            p.padding[i] = i < nd ? Convolution.Entry(name, "padding", padding, i, nd, 0) : 0;
            p.dilation[i] = i < nd ? Convolution.Entry(name, "dilation", dilation, i, nd, 1) : 1;
            if (p.kernel[i] < 1 || p.stride[i] < 1 || p.dilation[i] < 1) throw Error.Argument(name, $"kernel {p.kernel[i]}, stride {p.stride[i]} and dilation {p.dilation[i]} must be at least 1");
            if (p.padding[i] < 0 || p.padding[i] > (p.dilation[i] * (p.kernel[i] - 1) + 1) / 2) throw Error.Argument(name, $"padding {p.padding[i]} must be at least 0 and at most half of kernel {p.kernel[i]}");
        }
        return p;
    }

    /// <summary>Sizes after pooling; with ceil_mode a last window that starts inside the input or its left padding counts too.</summary>
    internal static long[] OutputSizes(string name, long[] x, in flam_pool p, bool ceil)
    {
        long[] sizes = [.. x];
        for (int i = 0; i < p.nd; i++)
        {
            int d = x.Length - p.nd + i;
            long free = x[d] + 2 * p.padding[i] - p.dilation[i] * (p.kernel[i] - 1) - 1;
            sizes[d] = (free < 0 ? -1 : (free + (ceil ? p.stride[i] - 1 : 0)) / p.stride[i]) + 1;
            if (ceil && (sizes[d] - 1) * p.stride[i] >= x[d] + p.padding[i]) sizes[d]--;
            if (sizes[d] < 1) throw Error.Argument(name, $"input {Error.Shape(x)} is too small for kernel {p.kernel[i]} in dimension {d}");
        }
        return sizes;
    }

    /// <summary>[batch, channels, spatial...] or [channels, spatial...] as [planes, spatial...].</summary>
    internal static Tensor Planes(string name, Tensor x, int nd)
    {
        if (x.Live(name).rank != nd + 1 && x.rank != nd + 2) throw Error.Argument(name, $"expected {nd + 1} or {nd + 2} dimensions, not {Error.Shape(x.sizes)}");
        for (int d = x.rank - nd - (x.rank == nd + 2 ? 1 : 0); d < x.rank; d++)
            if (x.sizes[d] == 0) throw Error.Argument(name, $"only the batch may have size 0, not {Error.Shape(x.sizes)}");
        return (x.rank == nd + 1 ? x : x.reshape([x.sizes[0] * x.sizes[1], .. x.sizes[2..]])).contiguous();
    }

    internal static (Tensor, Tensor) Max(string name, Tensor x, flam_pool p, bool ceil)
    {
        long[] sizes = OutputSizes(name, x.sizes, p, ceil);
        Tensor y = new(sizes, x.dtype, x.device), indices = new(sizes, ScalarType.Int64, x.device);
        using (Borrow bx = x.Borrow(name, out flam_tensor vx), by = y.Borrow(name, out flam_tensor vy), bi = indices.Borrow(name, out flam_tensor vi))
            Error.Check(Native.flam_max_pool(&vx, &vy, &vi, &p), name);
        return (RecordMax(name, x, y, indices), indices);
    }

    internal static (Tensor, Tensor) AdaptiveMax(string name, Tensor x, int nd, long[] output)
    {
        long[] sizes = AdaptiveSizes(name, x.sizes, nd, output);
        Tensor y = new(sizes, x.dtype, x.device), indices = new(sizes, ScalarType.Int64, x.device);
        using (Borrow bx = x.Borrow(name, out flam_tensor vx), by = y.Borrow(name, out flam_tensor vy), bi = indices.Borrow(name, out flam_tensor vi))
            Error.Check(Native.flam_adaptive_max_pool(&vx, &vy, &vi, nd), name);
        return (RecordMax(name, x, y, indices), indices);
    }

    private static Tensor RecordMax(string name, Tensor x, Tensor y, Tensor indices)
    {
        long[] sizes = x.sizes;
        // dx[index] += dy
        return Graph.Record(name, y, [x], [indices], (n, dy) => [MaxBackward(name, dy.contiguous(), n[0], sizes)]);
    }

    private static Tensor MaxBackward(string name, Tensor dy, Tensor indices, long[] sizes)
    {
        var dx = new Tensor(sizes, dy.dtype, dy.device);
        using (Borrow by = dy.Borrow(name, out flam_tensor vy), bi = indices.Borrow(name, out flam_tensor vi), bx = dx.Borrow(name, out flam_tensor vx))
            Error.Check(Native.flam_max_pool_backward(&vy, &vi, &vx), name);
        // ddy = g[index]
        return Graph.Record(name, dx, [dy], [indices], (n, g) =>
        {
            Tensor flat = n[0].reshape(n[0].sizes[0], -1);
            return [Along.Take(name, g.reshape(g.sizes[0], -1), 1, flat).reshape(n[0].sizes)];
        });
    }

    internal static Tensor Average(string name, Tensor x, flam_pool p, long[] sizes)
    {
        var y = new Tensor(sizes, x.dtype, x.device);
        flam_pool q = p; // the address of what a lambda captures cannot be taken
        using (Borrow bx = x.Borrow(name, out flam_tensor vx), by = y.Borrow(name, out flam_tensor vy))
            Error.Check(Native.flam_avg_pool(&vx, &vy, &q), name);
        long[] old = x.sizes;
        // dx = the transpose of averaging
        return Graph.Record(name, y, [x], [], (n, dy) => [AverageBackward(name, dy.contiguous(), p, old)]);
    }

    internal static Tensor AverageBackward(string name, Tensor dy, flam_pool p, long[] sizes)
    {
        var dx = new Tensor(sizes, dy.dtype, dy.device);
        flam_pool q = p; // the address of what a lambda captures cannot be taken
        using (Borrow by = dy.Borrow(name, out flam_tensor vy), bx = dx.Borrow(name, out flam_tensor vx))
            Error.Check(Native.flam_avg_pool_backward(&vy, &vx, &q), name);
        long[] pooled = dy.sizes;
        // ddy = averages of g
        return Graph.Record(name, dx, [dy], [], (n, g) => [Average(name, g.contiguous(), p, pooled)]);
    }

    internal static Tensor AdaptiveAverage(string name, Tensor x, int nd, long[] sizes)
    {
        var y = new Tensor(sizes, x.dtype, x.device);
        using (Borrow bx = x.Borrow(name, out flam_tensor vx), by = y.Borrow(name, out flam_tensor vy))
            Error.Check(Native.flam_adaptive_avg_pool(&vx, &vy, nd), name);
        long[] old = x.sizes;
        // dx = the transpose of averaging
        return Graph.Record(name, y, [x], [], (n, dy) => [AdaptiveAverageBackward(name, dy.contiguous(), nd, old)]);
    }

    private static Tensor AdaptiveAverageBackward(string name, Tensor dy, int nd, long[] sizes)
    {
        var dx = new Tensor(sizes, dy.dtype, dy.device);
        using (Borrow by = dy.Borrow(name, out flam_tensor vy), bx = dx.Borrow(name, out flam_tensor vx))
            Error.Check(Native.flam_adaptive_avg_pool_backward(&vy, &vx, nd), name);
        long[] pooled = dy.sizes;
        // ddy = averages of g
        return Graph.Record(name, dx, [dy], [], (n, g) => [AdaptiveAverage(name, g.contiguous(), nd, pooled)]);
    }

    /// <summary>output has 1 or nd entries; -1 keeps a size.</summary>
    internal static long[] AdaptiveSizes(string name, long[] x, int nd, long[] output)
    {
        long[] sizes = [.. x];
        for (int i = 0; i < nd; i++)
        {
            int d = x.Length - nd + i;
            long n = Convolution.Entry(name, "output_size", output, i, nd, -1);
            if (n < -1) throw Error.Argument(name, $"output_size {Error.Shape(output)} has a negative size");
            sizes[d] = n == -1 ? x[d] : n;
        }
        return sizes;
    }
}
