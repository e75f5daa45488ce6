using System.Runtime.CompilerServices;
using System.Text;
using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>An op of bindings/ops.def, found by name once.</summary>
internal readonly struct NativeOp
{
    internal readonly string Name;
    internal readonly int Id;

    private unsafe NativeOp(string kind, string name)
    {
        Name = name;
        fixed (byte* k = Encoding.ASCII.GetBytes(kind + "\0"), n = Encoding.ASCII.GetBytes(name + "\0")) Id = Native.flam_op_id(k, n);
        if (Id < 0) throw new EntryPointNotFoundException($"[flambeau] the native library has no {kind} op '{name}'; rebuild it with './build.sh build'");
    }

    internal static NativeOp Unary(string name) => new("unary", name);

    internal static NativeOp Binary(string name) => new("binary", name);

    internal static NativeOp Ternary(string name) => new("ternary", name);

    internal static NativeOp Reduce(string name) => new("reduce", name);

    internal static NativeOp Scan(string name) => new("scan", name);
}

/// <summary>The forward of elementwise ops: promotes, broadcasts, allocates, calls the kernel. Knows no derivative.</summary>
[SkipLocalsInit]
internal static unsafe class Elementwise
{
    /// <summary>y = op(x; a, b) in x's dtype, or bool for predicates.</summary>
    internal static Tensor Unary(in NativeOp op, Tensor x, bool predicate = false, double a = 0, double b = 0)
    {
        Tensor y = Like(x, predicate ? ScalarType.Bool : x.dtype);
        Unary(op, x, y, a, b);
        return y;
    }

    /// <summary>As Unary; integers and bools are first turned into the default floating-point dtype.</summary>
    internal static Tensor UnaryFloat(in NativeOp op, Tensor x, double a = 0, double b = 0) => Unary(op, Float(x), false, a, b);

    /// <summary>Into memory that is there.</summary>
    internal static void Unary(in NativeOp op, Tensor x, Tensor y, double a = 0, double b = 0)
    {
        using Borrow bx = x.Borrow(op.Name, out flam_tensor vx), by = y.Borrow(op.Name, out flam_tensor vy);
        Error.Check(Native.flam_unary(op.Id, &vx, &vy, a, b), op.Name);
    }

    /// <summary>y = op(x1, x2) in the promoted dtype, or bool for comparisons; shapes broadcast.</summary>
    internal static Tensor Binary(in NativeOp op, Tensor x1, Tensor x2, bool compare = false, bool toFloat = false, double a = 0)
    {
        Device device = Common(op.Name, x1, x2);
        ScalarType dtype = result_type(x1, x2);
        if (toFloat && !dtype.is_floating_point()) dtype = get_default_dtype();
        long[] sizes = Shapes.Broadcast(op.Name, x1.sizes, x2.sizes);
        ScalarType result = compare ? ScalarType.Bool : dtype;
        Tensor y = x1.strides.AsSpan().SequenceEqual(x2.strides) && x1.sizes.Length == sizes.Length && x2.sizes.Length == sizes.Length && x1.sizes.AsSpan().SequenceEqual(sizes) && x1.sizes.Length > 0
            ? Like(x1, result)
            : new Tensor(sizes, result, device);
        Binary(op, Cast(x1, dtype), Cast(x2, dtype), y, a);
        return y;
    }

    /// <summary>Into memory that is there; x1 and x2 have one dtype and broadcast to y's shape. One of them may be a number on the CPU.</summary>
    internal static void Binary(in NativeOp op, Tensor x1, Tensor x2, Tensor y, double a = 0)
    {
        if (!ReferenceEquals(Common(op.Name, x1, x2), y.device)) Together(op.Name, y, x1, x2);
        using Borrow b1 = x1.Borrow(op.Name, out flam_tensor v1), b2 = x2.Borrow(op.Name, out flam_tensor v2), by = y.Borrow(op.Name, out flam_tensor vy);
        Stretch(ref v1, y.sizes);
        Stretch(ref v2, y.sizes);
        Error.Check(Native.flam_binary(op.Id, &v1, &v2, &vy, a), op.Name);
    }

    /// <summary>y = op(x, number), or op(number, x) when <paramref name="numberFirst"/>.</summary>
    internal static Tensor Binary(in NativeOp op, Tensor x, Scalar number, bool compare = false, bool toFloat = false, bool numberFirst = false, double a = 0)
    {
        ScalarType dtype = result_type(x, number);
        if (toFloat && !dtype.is_floating_point()) dtype = get_default_dtype();
        x = Cast(x, dtype);
        Tensor y = Like(x, compare ? ScalarType.Bool : dtype);
        Binary(op, x, number, y, numberFirst, a);
        return y;
    }

    /// <summary>Into memory that is there; x has y's dtype or y is bool.</summary>
    internal static void Binary(in NativeOp op, Tensor x, Scalar number, Tensor y, bool numberFirst = false, double a = 0)
    {
        long room;
        using Borrow bx = x.Borrow(op.Name, out flam_tensor vx), by = y.Borrow(op.Name, out flam_tensor vy);
        Number(number, x.dtype, &room, vy, out flam_tensor vn);
        int status = numberFirst ? Native.flam_binary(op.Id, &vn, &vx, &vy, a) : Native.flam_binary(op.Id, &vx, &vn, &vy, a);
        Error.Check(status, op.Name);
    }

    /// <summary>y = op(x1, x2, x3), all of one dtype but x1 of `where`; all broadcast.</summary>
    internal static Tensor Ternary(in NativeOp op, Tensor x1, Tensor x2, Tensor x3, double a = 0)
    {
        Device device = Common(op.Name, x1, x2, x3);
        long[] sizes = Shapes.Broadcast(op.Name, Shapes.Broadcast(op.Name, x1.sizes, x2.sizes), x3.sizes);
        var y = new Tensor(sizes, x2.dtype, device);
        Ternary(op, x1, x2, x3, y, a);
        return y;
    }

    /// <summary>Into memory that is there. Operands may be numbers on the CPU.</summary>
    internal static void Ternary(in NativeOp op, Tensor x1, Tensor x2, Tensor x3, Tensor y, double a = 0)
    {
        if (!ReferenceEquals(Common(op.Name, x1, x2, x3), y.device)) Together(op.Name, y, x1, x2, x3);
        using Borrow b1 = x1.Borrow(op.Name, out flam_tensor v1), b2 = x2.Borrow(op.Name, out flam_tensor v2);
        using Borrow b3 = x3.Borrow(op.Name, out flam_tensor v3), by = y.Borrow(op.Name, out flam_tensor vy);
        Stretch(ref v1, y.sizes);
        Stretch(ref v2, y.sizes);
        Stretch(ref v3, y.sizes);
        Error.Check(Native.flam_ternary(op.Id, &v1, &v2, &v3, &vy, a), op.Name);
    }

    /// <summary>y = x, converted to y's dtype; x broadcasts to y's shape.</summary>
    internal static void Copy(string name, Tensor x, Tensor y)
    {
        SameDevice(name, x, y);
        using Borrow bx = x.Borrow(name, out flam_tensor vx), by = y.Borrow(name, out flam_tensor vy);
        Stretch(ref vx, y.sizes);
        Error.Check(Native.flam_copy(&vx, &vy), name);
    }

    internal static void Fill(string name, Tensor y, Scalar value)
    {
        long room;
        value.Write(y.dtype, &room);
        using Borrow by = y.Borrow(name, out flam_tensor vy);
        Error.Check(Native.flam_fill(&vy, &room), name);
    }

    /// <summary>x in another dtype, outside the graph; x itself if it has it already.</summary>
    internal static Tensor Cast(Tensor x, ScalarType dtype)
    {
        if (x.dtype == dtype) return x;
        Tensor y = Like(x, dtype);
        Copy("to", x, y);
        return y;
    }

    internal static Tensor Float(Tensor x) => x.is_floating_point() ? x : Cast(x, get_default_dtype());

    /// <summary>Fresh memory in x's shape; dense layouts are kept, others become row-major.</summary>
    internal static Tensor Like(Tensor x, ScalarType dtype) => Like(x, dtype, x.device);

    internal static Tensor Like(Tensor x, ScalarType dtype, Device device)
    {
        if (Shapes.IsRowMajor(x.sizes, x.strides) || !Shapes.IsDense(x.sizes, x.strides)) return new Tensor(x.sizes, dtype, device);
        var storage = new Storage(Shapes.Count(x.sizes) * dtype.ElementSize(), device);
        return new Tensor(storage, first: true, 0, x.sizes, x.strides, dtype);
    }

    internal static void SameDevice(string op, Tensor a, Tensor b)
    {
        if (!ReferenceEquals(a.device, b.device) && a.device != b.device) throw Apart(op, a, b);
    }

    /// <summary>Those that are there are on one device.</summary>
    internal static void SameDevice(string op, params ReadOnlySpan<Tensor?> tensors)
    {
        Tensor? first = null;
        foreach (Tensor? t in tensors)
            if (t is not null && !ReferenceEquals(t.device, (first ??= t).device) && t.device != first.device) throw Apart(op, first, t);
    }

    private static ArgumentException Apart(string op, Tensor a, Tensor b) => Error.Argument(op, $"tensors are on {a.device} and {b.device}");

    /// <summary>The device of the result of an elementwise op. A tensor of no dimensions on the CPU counts as a number and goes with any device.</summary>
    internal static Device Common(string op, Tensor a, Tensor b)
    {
        if (ReferenceEquals(a.device, b.device) || a.device == b.device || IsNumber(b)) return a.device;
        return IsNumber(a) ? b.device : throw Apart(op, a, b);
    }

    private static Device Common(string op, Tensor a, Tensor b, Tensor c)
    {
        Device device = Common(op, a, b);
        if (ReferenceEquals(device, c.device) || device == c.device || IsNumber(c)) return device;
        return IsNumber(a) && IsNumber(b) ? c.device : throw Apart(op, IsNumber(a) ? b : a, c);
    }

    /// <summary>Operands are on y's device or numbers on the CPU.</summary>
    private static void Together(string op, Tensor y, params ReadOnlySpan<Tensor> operands)
    {
        foreach (Tensor x in operands)
            if (!IsNumber(x) && x.device != y.device) throw Apart(op, y, x);
    }

    private static bool IsNumber(Tensor x) => x.sizes.Length == 0 && x.is_cpu();

    /// <summary>x itself if it is on y's device; a number of the CPU is put there.</summary>
    internal static Tensor On(string op, Tensor x, Tensor y)
    {
        if (ReferenceEquals(x.device, y.device) || x.device == y.device) return x;
        if (!IsNumber(x)) throw Apart(op, y, x);
        var there = new Tensor([], x.dtype, y.device);
        using Borrow bx = x.Borrow(op, out flam_tensor vx);
        Transfer.Upload(op, vx.data, there);
        return there;
    }

    /// <summary>Makes a view read as a larger shape: stride 0 along stretched and missing dimensions.</summary>
    internal static void Stretch(ref flam_tensor v, long[] sizes)
    {
        int rank = sizes.Length, shift = rank - v.rank;
        for (int i = rank - 1; i >= 0; i--)
        {
            int from = i - shift;
            v.strides[i] = from < 0 || (v.sizes[from] == 1 && sizes[i] != 1) ? 0 : v.strides[from];
        }
        for (int i = 0; i < rank; i++) v.sizes[i] = sizes[i];
        v.rank = rank;
    }

    // A number as a tensor of y's shape that has stride 0 everywhere: it lives on the caller's stack, and so on the CPU.
    private static void Number(Scalar number, ScalarType dtype, long* room, in flam_tensor like, out flam_tensor v)
    {
        number.Write(dtype, room);
        v = like;
        v.data = room;
        v.dtype = (int)dtype;
        v.device_type = (int)DeviceType.CPU;
        v.device_index = 0;
        for (int i = 0; i < v.rank; i++) v.strides[i] = 0;
    }
}
