using System.Runtime.InteropServices;
using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    /// <summary>
    /// The NVIDIA GPUs of this machine. Work on them is queued on streams and runs while the program goes on; reading a value waits for it.
    /// Functions that ask and seed work without a GPU too; the others throw InvalidOperationException and say why there is none.
    /// </summary>
    public static unsafe partial class cuda
    {
        /// <summary>What a GPU is and has.</summary>
        /// <param name="total_memory">Bytes.</param>
        /// <param name="shared_memory_per_block">Bytes that one block of a kernel may have, after opting in.</param>
        /// <param name="L2_cache_size">Bytes.</param>
        public sealed record DeviceProperties(
            string name, int major, int minor, long total_memory, int multi_processor_count, int max_threads_per_multi_processor, long shared_memory_per_block, long L2_cache_size, int warp_size);

        /// <summary>Whether tensors can be put on "cuda"; <see cref="why_not"/> says why not.</summary>
        public static bool is_available() => Cuda.Count > 0;

        /// <summary>How many GPUs there are: "cuda:0", "cuda:1", ...</summary>
        public static int device_count() => Cuda.Count;

        /// <summary>One sentence that says why there is no GPU to use, or "" if there is one.</summary>
        public static string why_not() => Cuda.WhyNot;

        /// <summary>Whether convolutions may use cuDNN.</summary>
        public static bool is_cudnn_available() => backends.cudnn.is_available();

        /// <summary>The number of the device that "cuda" means on this thread.</summary>
        public static int current_device() => Cuda.Current;

        /// <summary>Makes a device the one that "cuda" means, on this thread.</summary>
        /// <exception cref="InvalidOperationException">There is no such device.</exception>
        public static void set_device(Device device) => Cuda.Current = Cuda.Index("set_device", device);

        public static void set_device(int device) => Cuda.Current = Cuda.Device("set_device", device).index;

        /// <summary>Makes a device current until the result is disposed: <c>using (torch.cuda.device(1)) { ... }</c></summary>
        /// <exception cref="InvalidOperationException">There is no such device.</exception>
        public static IDisposable device(int device) => new DeviceScope(Cuda.Device("device", device).index);

        public static IDisposable device(Device device) => new DeviceScope(Cuda.Index("device", device));

        private sealed class DeviceScope : IDisposable
        {
            private readonly int before = Cuda.Current;

            internal DeviceScope(int device) => Cuda.Current = device;

            public void Dispose() => Cuda.Current = before;
        }

        public static string get_device_name(Device? device = null) => get_device_properties(device).name;

        /// <summary>The compute capability, for example (9, 0).</summary>
        public static (int major, int minor) get_device_capability(Device? device = null)
        {
            DeviceProperties p = get_device_properties(device);
            return (p.major, p.minor);
        }

        /// <exception cref="InvalidOperationException">There is no such device.</exception>
        public static DeviceProperties get_device_properties(Device? device = null)
        {
            flam_cuda_properties p;
            Error.Check(NativeCuda.flam_cuda_get_properties(Cuda.Index("get_device_properties", device), &p), "get_device_properties");
            string name = Marshal.PtrToStringUTF8((nint)(&p.name)) ?? "";
            return new DeviceProperties(name, p.major, p.minor, p.total_memory, p.multi_processor_count, p.max_threads_per_multi_processor, p.shared_memory_per_block, p.l2_cache_bytes, p.warp_size);
        }

        /// <summary>Whether one device can read and write the memory of another directly.</summary>
        public static bool can_device_access_peer(Device device, Device peer_device)
        {
            const string name = "can_device_access_peer";
            int can;
            Error.Check(NativeCuda.flam_cuda_can_access_peer(Cuda.Index(name, device), Cuda.Index(name, peer_device), &can), name);
            return can != 0;
        }

        /// <summary>Waits until all that was queued on a device is done; raises what went wrong there and has not been reported yet.</summary>
        /// <exception cref="InvalidOperationException">There is no such device, or work on it failed.</exception>
        /// <exception cref="IndexOutOfRangeException">An earlier operation met an index out of range.</exception>
        public static void synchronize(Device? device = null)
        {
            Cuda.Require("synchronize");
            Error.Check(NativeCuda.flam_cuda_synchronize(Cuda.Index("synchronize", device)), "synchronize");
        }

        /// <summary>Versions of the CUDA runtime and driver, cuBLASLt and cuDNN as numbers, 0 where there is none.</summary>
        internal static (int runtime, int driver, int cublaslt, int cudnn) Versions()
        {
            if (!Cuda.InLibrary) return default;
            int runtime, driver, blas, dnn;
            Error.Check(NativeCuda.flam_cuda_versions(&runtime, &driver, &blas, &dnn), "versions");
            return (runtime, driver, blas, dnn);
        }
    }

    public static bool cuda_is_available() => cuda.is_available();

    public static bool mps_is_available() => false;
}
