using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    /// <summary>How many threads one operation may use.</summary>
    public static void set_num_threads(int num)
    {
        if (num < 1) throw Error.Argument("set_num_threads", $"needs at least one thread, not {num}");
        Error.Check(Native.flam_set_num_threads(num), "set_num_threads");
    }

    public static int get_num_threads() => Native.flam_get_num_threads();

    public static string __version__ => typeof(torch).Assembly.GetName().Version?.ToString(3) ?? "";

    /// <summary>The GPUs of this machine, as far as this build can use them: a CPU build sees none.</summary>
    public static partial class cuda
    {
        public static bool is_available() => device_count() > 0;

        public static int device_count() => 0;

        public static bool is_cudnn_available() => false;

        /// <summary>Seeds the streams of the GPUs; without GPUs nothing happens, as in PyTorch.</summary>
        public static void manual_seed(long seed) { }

        public static void manual_seed_all(long seed) { }

        /// <summary>Waits for the GPU to finish.</summary>
        /// <exception cref="InvalidOperationException">There is none.</exception>
        public static void synchronize(Device? device = null)
        {
            if (!is_available()) throw Error.State("synchronize", "no CUDA device is available: this is a CPU build");
        }
    }

    public static bool cuda_is_available() => cuda.is_available();

    public static bool mps_is_available() => false;
}
