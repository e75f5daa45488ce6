using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>How repeated targets combine; the numbers of flam_scatter.</summary>
internal enum Combine
{
    Set = 0,
    Add = 1,
    Multiply = 2,
    Max = 3,
    Min = 4,
}

/// <summary>The native calls that read and write by indices. They know no derivative.</summary>
internal static unsafe class IndexKernels
{
    internal static Tensor Gather(string op, Tensor x, int dim, Tensor index)
    {
        Elementwise.SameDevice(op, x, index);
        var y = new Tensor(index.sizes, x.dtype, x.device);
        using Borrow bx = x.Borrow(op, out flam_tensor vx), bi = index.Borrow(op, out flam_tensor vi), by = y.Borrow(op, out flam_tensor vy);
        Error.Check(Native.flam_gather(&vx, dim, &vi, &vy), op);
        return y;
    }

    internal static void Scatter(string op, Tensor y, int dim, Tensor index, Tensor src, Combine how)
    {
        Elementwise.SameDevice(op, y, index, src);
        using Borrow by = y.Borrow(op, out flam_tensor vy), bi = index.Borrow(op, out flam_tensor vi), bs = src.Borrow(op, out flam_tensor vs);
        Elementwise.Stretch(ref vs, index.sizes);
        Error.Check(Native.flam_scatter(&vy, dim, &vi, &vs, (int)how), op);
    }

    internal static Tensor Select(string op, Tensor x, int dim, Tensor index)
    {
        Elementwise.SameDevice(op, x, index);
        long[] sizes = [.. x.sizes];
        sizes[dim] = index.numel();
        var y = new Tensor(sizes, x.dtype, x.device);
        using Borrow bx = x.Borrow(op, out flam_tensor vx), bi = index.Borrow(op, out flam_tensor vi), by = y.Borrow(op, out flam_tensor vy);
        Error.Check(Native.flam_index_select(&vx, dim, &vi, &vy), op);
        return y;
    }

    /// <summary>src broadcasts to the rows it is written to.</summary>
    internal static void Write(string op, Tensor y, int dim, Tensor index, Tensor src, Combine how)
    {
        Elementwise.SameDevice(op, y, index, src);
        long[] sizes = [.. y.sizes];
        sizes[dim] = index.numel();
        using Borrow by = y.Borrow(op, out flam_tensor vy), bi = index.Borrow(op, out flam_tensor vi), bs = src.Borrow(op, out flam_tensor vs);
        Elementwise.Stretch(ref vs, sizes);
        Error.Check(Native.flam_index_write(&vy, dim, &vi, &vs, (int)how), op);
    }

    /// <summary>x: [i1 .. ik, rest...]; result: [shape..., rest...].</summary>
    internal static Tensor Get(Tensor x, ReadOnlySpan<Tensor> indices, long[] shape)
    {
        var y = new Tensor([.. shape, .. x.sizes[indices.Length..]], x.dtype, x.device);
        var views = stackalloc flam_tensor[indices.Length];
        var held = new Storage?[indices.Length];
        foreach (Tensor i in indices) Elementwise.SameDevice("index", x, i);
        try
        {
            Hold(indices, shape, views, held);
            using Borrow bx = x.Borrow("index", out flam_tensor vx), by = y.Borrow("index", out flam_tensor vy);
            Error.Check(Native.flam_index_get(&vx, indices.Length, views, &vy), "index");
        }
        finally
        {
            foreach (Storage? s in held) s?.LetGo();
        }
        return y;
    }

    /// <summary>y: [i1 .. ik, rest...]; src broadcasts to [shape..., rest...].</summary>
    internal static void Put(Tensor y, ReadOnlySpan<Tensor> indices, long[] shape, Tensor src, bool accumulate)
    {
        var views = stackalloc flam_tensor[indices.Length];
        var held = new Storage?[indices.Length];
        src = Elementwise.On("index_put", src, y);
        foreach (Tensor i in indices) Elementwise.SameDevice("index_put", y, i);
        try
        {
            Hold(indices, shape, views, held);
            using Borrow by = y.Borrow("index_put", out flam_tensor vy), bs = src.Borrow("index_put", out flam_tensor vs);
            Elementwise.Stretch(ref vs, [.. shape, .. y.sizes[indices.Length..]]);
            Error.Check(Native.flam_index_put(&vy, indices.Length, views, &vs, accumulate ? 1 : 0), "index_put");
        }
        finally
        {
            foreach (Storage? s in held) s?.LetGo();
        }
    }

    /// <summary>A row-major copy outside the graph, for ops that write into a copy.</summary>
    internal static Tensor Copied(Tensor x, string op)
    {
        var y = new Tensor(x.Live(op).sizes, x.dtype, x.device);
        Elementwise.Copy(op, x, y);
        return y;
    }

    private static void Hold(ReadOnlySpan<Tensor> indices, long[] shape, flam_tensor* views, Storage?[] held)
    {
        for (int i = 0; i < indices.Length; i++)
        {
            Storage s = indices[i].storage;
            _ = indices[i].Borrow("index", out views[i]);
            held[i] = s;
            Elementwise.Stretch(ref views[i], shape);
        }
    }
}
