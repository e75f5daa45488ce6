using System.Runtime.InteropServices;
using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>What the native library and the machine have of CUDA, found out once.</summary>
internal static unsafe class Cuda
{
    private const string HowToBuild = "this build of the native library has no CUDA; build it with './build.sh build --cuda'";

    private static readonly Lazy<bool> Exported = new(() => NativeLibrary.TryGetExport(NativeLoader.Library, "flam_cuda_device_count", out _));
    private static readonly Lazy<(int Count, string WhyNot)> Census = new(Ask);
    private static Device[] devices = [];

    [ThreadStatic]
    private static int current;

    /// <summary>Whether the functions of NativeCuda exist.</summary>
    internal static bool InLibrary => Exported.Value;

    internal static int Count => Census.Value.Count;

    /// <summary>One sentence, without a full stop, why Count is 0; else "".</summary>
    internal static string WhyNot => Census.Value.WhyNot;

    /// <summary>The device of "cuda" without a number, on this thread.</summary>
    internal static int Current
    {
        get => current;
        set => current = value;
    }

    private static (int, string) Ask()
    {
        if (!InLibrary) return (0, NativeLoader.CudaRefused is { Length: > 0 } refused ? refused : HowToBuild);
        int count = 0;
        Error.Check(NativeCuda.flam_cuda_device_count(&count), "cuda");
        return (count, count > 0 ? "" : Marshal.PtrToStringUTF8((nint)NativeCuda.flam_cuda_why_not()) is { Length: > 0 } why ? why : "there is no CUDA device");
    }

    /// <summary>The one object that stands for a device in tensors, so that comparing devices is comparing references.</summary>
    /// <exception cref="InvalidOperationException">There is no such device.</exception>
    internal static Device Device(string op, int index)
    {
        Device[] all = devices;
        if ((uint)index < (uint)all.Length) return all[index];
        if (Count == 0) throw Error.State(op, $"the device cuda:{index} is not available: {WhyNot}");
        if ((uint)index >= (uint)Count) throw Error.State(op, $"the device cuda:{index} is not available: {(Count == 1 ? "there is only cuda:0" : $"there are cuda:0 to cuda:{Count - 1}")}");
        devices = [.. Enumerable.Range(0, Count).Select(i => new Device(DeviceType.CUDA, i))];
        return devices[index];
    }

    /// <summary>The number of a CUDA device; null means this thread's current one.</summary>
    /// <exception cref="InvalidOperationException">There is no such device.</exception>
    /// <exception cref="ArgumentException">The device is not a CUDA device.</exception>
    internal static int Index(string op, Device? device)
    {
        if (device is { type: not DeviceType.CUDA }) throw Error.Argument(op, $"a CUDA device is needed, not {device}");
        return Device(op, device?.index ?? current).index;
    }

    /// <exception cref="InvalidOperationException">No CUDA device is available.</exception>
    internal static void Require(string op)
    {
        if (Count == 0) throw Error.State(op, $"no CUDA device is available: {WhyNot}");
    }

    /// <summary>The number of a device as native copies take it.</summary>
    internal static int CopyIndex(Device device) => device.type == DeviceType.CPU ? -1 : device.index;
}
