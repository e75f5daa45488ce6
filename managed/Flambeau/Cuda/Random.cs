namespace Flambeau;

public static partial class torch
{
    public static partial class cuda
    {
        /// <summary>The generators of the devices: random numbers on "cuda:i" come from number i unless another is given.</summary>
        public static IReadOnlyList<Generator> default_generators => [.. Enumerable.Range(0, device_count()).Select(i => Generator.DefaultOf(Cuda.Device("default_generators", i)))];

        /// <summary>Seeds the current device; without GPUs nothing happens, as in PyTorch.</summary>
        public static void manual_seed(long seed)
        {
            if (is_available()) Generator.DefaultOf(Cuda.Device("manual_seed", Cuda.Current)).manual_seed(seed);
        }

        /// <summary>Seeds all devices; without GPUs nothing happens, as in PyTorch.</summary>
        public static void manual_seed_all(long seed)
        {
            foreach (Generator g in default_generators) g.manual_seed(seed);
        }

        /// <summary>Seeds the current device by chance.</summary>
        public static void seed()
        {
            if (is_available()) Generator.DefaultOf(Cuda.Device("seed", Cuda.Current)).seed();
        }

        /// <summary>Seeds all devices by one number drawn by chance.</summary>
        public static void seed_all() => manual_seed_all(BitConverter.ToInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8)));

        /// <summary>The seed that the current device was started with.</summary>
        public static long initial_seed() => Generator.DefaultOf(Cuda.Device("initial_seed", Cuda.Index("initial_seed", null))).initial_seed();

        /// <summary>The state of a device's generator: 16 bytes, the seed and how many numbers have been drawn.</summary>
        public static Tensor get_rng_state(Device? device = null) => Generator.DefaultOf(Cuda.Device("get_rng_state", Cuda.Index("get_rng_state", device))).get_state();

        public static void set_rng_state(Tensor new_state, Device? device = null) =>
            Generator.DefaultOf(Cuda.Device("set_rng_state", Cuda.Index("set_rng_state", device))).set_state(new_state);
    }
}
