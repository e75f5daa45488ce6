using System.Runtime.InteropServices;
using Flambeau.Interop;

namespace Flambeau;

/// <summary>Every message has the form "[op] what is wrong, with the values". Use as <c>throw Error.Argument("matmul", $"...")</c>.</summary>
internal static class Error
{
    /// <summary>Shapes, dtypes and other arguments that do not fit.</summary>
    internal static ArgumentException Argument(string op, string text) => new($"[{op}] {text}");

    /// <summary>An index or dimension out of range.</summary>
    internal static IndexOutOfRangeException Range(string op, string text) => new($"[{op}] {text}");

    /// <summary>The call is right but not in this state: graph freed, tensor modified, ...</summary>
    internal static InvalidOperationException State(string op, string text) => new($"[{op}] {text}");

    /// <summary>An op that is not defined for this dtype.</summary>
    internal static NotSupportedException Unsupported(string op, string text) => new($"[{op}] {text}");

    internal static ObjectDisposedException Disposed(string op) => new("Tensor", $"[{op}] the tensor has been disposed");

    /// <summary>A file whose contents contradict themselves or its size.</summary>
    internal static InvalidDataException Data(string what, string text) => new($"[{what}] {text}");

    /// <summary>Turns a native status into the typed exception.</summary>
    internal static void Check(int status, string op)
    {
        if (status != 0) Raise(status, op);
    }

    private static unsafe void Raise(int status, string op)
    {
        string text = Marshal.PtrToStringUTF8((nint)Native.flam_last_error()) ?? "";
        throw (flam_status)status switch
        {
            flam_status.InvalidArgument => Argument(op, text),
            flam_status.OutOfMemory => new OutOfMemoryException($"[{op}] {text}{Summaries()}"),
            flam_status.NotSupported => Unsupported(op, text),
            flam_status.OutOfRange => Range(op, text),
            _ => State(op, text),
        };
    }

    /// <summary>The failure of an allocation on a device, with what its memory is used for.</summary>
    internal static unsafe OutOfMemoryException OutOfMemory(string op, torch.Device device)
    {
        string text = Marshal.PtrToStringUTF8((nint)Native.flam_last_error()) ?? "";
        return new($"[{op}] {text}{(device.type == DeviceType.CUDA ? "\n" + torch.cuda.Summary(device.index) : "")}");
    }

    private static string Summaries()
    {
        var text = new System.Text.StringBuilder();
        for (int i = 0; i < Cuda.Count; i++) text.Append('\n').Append(torch.cuda.Summary(i));
        return text.ToString();
    }

    /// <summary>"[2, 3]"</summary>
    internal static string Shape(ReadOnlySpan<long> sizes)
    {
        var text = new System.Text.StringBuilder("[");
        for (int i = 0; i < sizes.Length; i++) text.Append(i > 0 ? ", " : "").Append(sizes[i]);
        return text.Append(']').ToString();
    }
}
