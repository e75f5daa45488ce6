using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    /// <summary>Switches of the native libraries. They can be set without a GPU, so that one program serves both.</summary>
    public static unsafe partial class backends
    {
        private enum Flag
        {
            Tf32Matmul = 0,
            Tf32Convolution = 1,
            Deterministic = 2,
            Cudnn = 3,
            Benchmark = 4,
        }

        // What a library without CUDA is told to do, and the defaults.
        private static readonly bool[] kept = [false, true, false, true, false];
        private static bool cudnnDeterministic, allDeterministic;

        private static bool Get(Flag flag)
        {
            if (!Cuda.InLibrary) return kept[(int)flag];
            int value;
            Error.Check(NativeCuda.flam_cuda_get_flag((int)flag, &value), "backends");
            return value != 0;
        }

        private static void Set(Flag flag, bool value)
        {
            kept[(int)flag] = value;
            if (Cuda.InLibrary) Error.Check(NativeCuda.flam_cuda_set_flag((int)flag, value ? 1 : 0), "backends");
        }

        internal static bool AllDeterministic
        {
            get => allDeterministic;
            set
            {
                allDeterministic = value;
                Set(Flag.Deterministic, allDeterministic || cudnnDeterministic);
            }
        }

        public static class cuda
        {
            public static class matmul
            {
                /// <summary>Whether float32 matrix products may round their inputs to TF32 (10 bits): several times faster. Default false.</summary>
                public static bool allow_tf32
                {
                    get => Get(Flag.Tf32Matmul);
                    set => Set(Flag.Tf32Matmul, value);
                }
            }

            /// <summary>Whether the native library has CUDA.</summary>
            public static bool is_built() => Cuda.InLibrary;
        }

        public static class cudnn
        {
            /// <summary>Whether float32 convolutions may round their inputs to TF32. Default true, as in PyTorch.</summary>
            public static bool allow_tf32
            {
                get => Get(Flag.Tf32Convolution);
                set => Set(Flag.Tf32Convolution, value);
            }

            /// <summary>Whether the algorithms for each new shape are timed and the fastest kept. Default false.</summary>
            public static bool benchmark
            {
                get => Get(Flag.Benchmark);
                set => Set(Flag.Benchmark, value);
            }

            /// <summary>Whether only algorithms are used that give the same numbers each time. Default false.</summary>
            public static bool deterministic
            {
                get => cudnnDeterministic;
                set
                {
                    cudnnDeterministic = value;
                    Set(Flag.Deterministic, allDeterministic || cudnnDeterministic);
                }
            }

            /// <summary>Whether cuDNN may be used where it is found. Default true.</summary>
            public static bool enabled
            {
                get => Get(Flag.Cudnn);
                set => Set(Flag.Cudnn, value);
            }

            /// <summary>cuDNN's version as a number, for example 91002; null where it was not found.</summary>
            public static int? version() => torch.cuda.Versions().cudnn is var v and not 0 ? v : null;

            public static bool is_available() => torch.cuda.is_available() && version() is not null;
        }
    }

    /// <summary>Only algorithms that give the same numbers each time.</summary>
    /// <param name="warn_only">There for ported programs: every operation has a deterministic algorithm.</param>
    public static void use_deterministic_algorithms(bool mode, bool warn_only = false) => backends.AllDeterministic = mode;

    public static bool are_deterministic_algorithms_enabled() => backends.AllDeterministic;

    /// <summary>"highest": float32 matrix products in float32; "high" and "medium": in TF32 where the GPU has it.</summary>
    /// <exception cref="ArgumentException">Another word.</exception>
    public static void set_float32_matmul_precision(string precision)
    {
        if (precision is not ("highest" or "high" or "medium")) throw Error.Argument("set_float32_matmul_precision", $"the precision must be highest, high or medium, not '{precision}'");
        matmulPrecision = precision;
        backends.cuda.matmul.allow_tf32 = precision != "highest";
    }

    public static string get_float32_matmul_precision() =>
        backends.cuda.matmul.allow_tf32 == (matmulPrecision != "highest") ? matmulPrecision : backends.cuda.matmul.allow_tf32 ? "high" : "highest";

    private static string matmulPrecision = "highest";
}
