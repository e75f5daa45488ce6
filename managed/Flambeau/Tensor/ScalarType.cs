namespace Flambeau;

public static partial class torch
{
    /// <summary>Element types; the values are those of PyTorch and of flam_dtype.</summary>
    public enum ScalarType : sbyte
    {
        Byte = 0,
        Int8 = 1,
        Int16 = 2,
        Int32 = 3,
        Int64 = 4,
        Float16 = 5,
        Float32 = 6,
        Float64 = 7,
        Bool = 11,
        BFloat16 = 15,
    }

    public const ScalarType uint8 = ScalarType.Byte;
    public const ScalarType int8 = ScalarType.Int8;
    public const ScalarType int16 = ScalarType.Int16;
    public const ScalarType @short = ScalarType.Int16;
    public const ScalarType int32 = ScalarType.Int32;
    public const ScalarType @int = ScalarType.Int32;
    public const ScalarType int64 = ScalarType.Int64;
    public const ScalarType @long = ScalarType.Int64;
    public const ScalarType float16 = ScalarType.Float16;
    public const ScalarType half = ScalarType.Float16;
    public const ScalarType float32 = ScalarType.Float32;
    public const ScalarType @float = ScalarType.Float32;
    public const ScalarType float64 = ScalarType.Float64;
    public const ScalarType @double = ScalarType.Float64;
    public const ScalarType @bool = ScalarType.Bool;
    public const ScalarType bfloat16 = ScalarType.BFloat16;

    private static ScalarType default_dtype = ScalarType.Float32;

    /// <summary>Sets the dtype of new floating-point tensors and of integer results that become floating-point.</summary>
    /// <exception cref="ArgumentException">dtype is not a floating-point type.</exception>
    public static void set_default_dtype(ScalarType dtype)
    {
        if (!dtype.is_floating_point()) throw Error.Argument("set_default_dtype", $"only floating-point dtypes can be the default, not {dtype.name()}");
        default_dtype = dtype;
    }

    public static ScalarType get_default_dtype() => default_dtype;

    /// <summary>True for float16, bfloat16, float32 and float64.</summary>
    public static bool is_floating_point(this ScalarType dtype) =>
        dtype is ScalarType.Float16 or ScalarType.Float32 or ScalarType.Float64 or ScalarType.BFloat16;

    /// <summary>True for the integer types; bool is not one.</summary>
    public static bool is_integral(this ScalarType dtype) => dtype <= ScalarType.Int64;

    /// <summary>Bytes of one element.</summary>
    public static int ElementSize(this ScalarType dtype) => dtype switch
    {
        ScalarType.Int64 or ScalarType.Float64 => 8,
        ScalarType.Int32 or ScalarType.Float32 => 4,
        ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
        _ => 1,
    };

    /// <summary>PyTorch's name: "float32".</summary>
    internal static string name(this ScalarType dtype) => dtype switch
    {
        ScalarType.Byte => "uint8",
        ScalarType.Int8 => "int8",
        ScalarType.Int16 => "int16",
        ScalarType.Int32 => "int32",
        ScalarType.Int64 => "int64",
        ScalarType.Float16 => "float16",
        ScalarType.Float32 => "float32",
        ScalarType.Float64 => "float64",
        ScalarType.Bool => "bool",
        ScalarType.BFloat16 => "bfloat16",
        _ => $"dtype {(int)dtype}",
    };

    /// <summary>The dtype of a .NET element type.</summary>
    internal static ScalarType dtype_of<T>(string op) =>
        typeof(T) == typeof(float) ? ScalarType.Float32
        : typeof(T) == typeof(double) ? ScalarType.Float64
        : typeof(T) == typeof(long) ? ScalarType.Int64
        : typeof(T) == typeof(int) ? ScalarType.Int32
        : typeof(T) == typeof(bool) ? ScalarType.Bool
        : typeof(T) == typeof(byte) ? ScalarType.Byte
        : typeof(T) == typeof(sbyte) ? ScalarType.Int8
        : typeof(T) == typeof(short) ? ScalarType.Int16
        : typeof(T) == typeof(Half) ? ScalarType.Float16
        : typeof(T) == typeof(BFloat16) ? ScalarType.BFloat16
        : throw Error.Argument(op, $"no tensor dtype has elements of the .NET type {typeof(T).Name}");

    /// <summary>The smallest dtype that holds both, by PyTorch's promotion rules.</summary>
    public static ScalarType promote_types(ScalarType a, ScalarType b)
    {
        if (a == b) return a;
        if (a == ScalarType.Bool) return b;
        if (b == ScalarType.Bool) return a;
        bool fa = a.is_floating_point(), fb = b.is_floating_point();
        if (fa != fb) return fa ? a : b;
        if (fa) // two different halves meet in float32
            return a == ScalarType.Float64 || b == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        if (a == ScalarType.Byte || b == ScalarType.Byte)
        {
            ScalarType other = a == ScalarType.Byte ? b : a;
            return other == ScalarType.Int8 ? ScalarType.Int16 : other;
        }
        return a > b ? a : b;
    }

    /// <summary>0 bool, 1 integer, 2 floating point: a 0-dim tensor or a number only widens the category.</summary>
    internal static int category(ScalarType dtype) => dtype == ScalarType.Bool ? 0 : dtype.is_integral() ? 1 : 2;

    /// <summary>The dtype of an operation on a and b: dimensioned tensors count before 0-dim ones.</summary>
    public static ScalarType result_type(Tensor tensor1, Tensor tensor2)
    {
        if (tensor1.dtype == tensor2.dtype) return tensor1.dtype;
        if (tensor1.sizes.Length > 0 == tensor2.sizes.Length > 0) return promote_types(tensor1.dtype, tensor2.dtype);
        var (strong, weak) = tensor1.sizes.Length > 0 ? (tensor1.dtype, tensor2.dtype) : (tensor2.dtype, tensor1.dtype);
        return category(weak) > category(strong) ? promote_types(weak, strong) : strong;
    }

    internal static ScalarType result_type(Tensor tensor, Scalar scalar) =>
        category(scalar.Type) <= category(tensor.dtype) ? tensor.dtype : category(scalar.Type) == 2 ? default_dtype : scalar.Type;
}
