using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    /// <summary>
    /// The state of a stream of random numbers for one device. The same seed gives the same numbers as PyTorch on the CPU; on a CUDA device the
    /// same numbers each time. Safe to share between threads.
    /// </summary>
    public sealed class Generator : IDisposable
    {
        private const ulong DefaultSeed = 67280421310721; // PyTorch's

        private static Generator?[] ofCuda = [];
        private static ulong cudaSeed = DefaultSeed; // for devices that have not drawn yet

        private flam_generator state;
        private readonly Lock gate = new();

        public Generator(ulong seed = 0, Device? device = null)
        {
            this.device = Available("Generator", device);
            Seed(seed);
        }

        /// <summary>The generator that everything uses unless told otherwise.</summary>
        public static Generator Default { get; } = new(DefaultSeed, CPU);

        public Device device { get; }

        /// <summary>The generator of a device: what everything there uses unless told otherwise.</summary>
        internal static Generator DefaultOf(Device device)
        {
            if (device.type == DeviceType.CPU) return Default;
            Generator?[] all = ofCuda;
            if (device.index < all.Length && all[device.index] is { } known) return known;
            lock (Default.gate)
            {
                if (ofCuda.Length == 0) ofCuda = new Generator?[Cuda.Count];
                return ofCuda[device.index] ??= new Generator(cudaSeed, device);
            }
        }

        /// <summary>What random numbers on a device are drawn from.</summary>
        /// <exception cref="ArgumentException">The given generator is for another device.</exception>
        internal static Generator For(string op, Device device, Generator? given)
        {
            if (given is null) return DefaultOf(device);
            return given.device == device ? given : throw Error.Argument(op, $"the generator is for {given.device}, the tensor is on {device}");
        }

        /// <summary>Seeds the generators of all CUDA devices, those not made yet too.</summary>
        internal static void SeedCuda(long seed)
        {
            lock (Default.gate)
            {
                cudaSeed = unchecked((ulong)seed);
                foreach (Generator? g in ofCuda) g?.manual_seed(seed);
            }
        }

        /// <summary>Starts the stream anew.</summary>
        public Generator manual_seed(long seed)
        {
            Seed(unchecked((ulong)seed));
            return this;
        }

        /// <summary>Starts the stream from a random seed, and returns that.</summary>
        public long seed()
        {
            long value = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(8));
            manual_seed(value);
            return value;
        }

        /// <summary>The seed that the stream was started with.</summary>
        public long initial_seed()
        {
            lock (gate) return unchecked((long)state.seed);
        }

        /// <summary>The whole state as a tensor of bytes on the CPU; for a CUDA device 16 bytes, the seed and how many numbers have been drawn.</summary>
        public Tensor get_state()
        {
            lock (gate)
                if (device.type == DeviceType.CUDA) return FromSpan("get_state", MemoryMarshal.AsBytes<ulong>([state.seed, state.philox_offset]), [16], null, CPU, false);
            lock (gate) return FromSpan<byte>("get_state", Bytes(ref state), [StateBytes], null, CPU, false);
        }

        /// <summary>Continues from a state that get_state returned.</summary>
        /// <exception cref="ArgumentException">Not such a tensor.</exception>
        public void set_state(Tensor value)
        {
            ArgumentNullException.ThrowIfNull(value);
            bool cuda = device.type == DeviceType.CUDA;
            int bytes = cuda ? 16 : StateBytes;
            if (value.dtype != ScalarType.Byte || value.numel() != bytes) throw Error.Argument("set_state", $"the state must be {bytes} elements of uint8, not {Error.Shape(value.sizes)} of {value.dtype.name()}");
            if (!cuda)
            {
                lock (gate) value.data<byte>().CopyTo(Bytes(ref state));
                return;
            }
            Span<ulong> both = stackalloc ulong[2];
            value.data<byte>().CopyTo(MemoryMarshal.AsBytes(both));
            lock (gate)
            {
                Seed(both[0]);
                state.philox_offset = both[1];
            }
        }

        public void Dispose() { }

        // All but the last field, which is an address.
        private static readonly int StateBytes = (int)Marshal.OffsetOf<flam_generator>(nameof(flam_generator.in_graph));

        private static Span<byte> Bytes(ref flam_generator g) => MemoryMarshal.AsBytes(new Span<flam_generator>(ref g))[..StateBytes];

        internal unsafe delegate int Draw(flam_generator* g);

        /// <summary>One native call that draws from this stream.</summary>
        internal unsafe void Use(string op, Draw draw)
        {
            if (device.type == DeviceType.CUDA && Capture.Running)
            {
                Capture.Draws(this).Use(op, draw);
                return;
            }
            lock (gate)
            {
                fixed (flam_generator* g = &state) Error.Check(draw(g), op);
            }
        }

        /// <summary>What a captured graph draws from a generator: it counts from 0 while captured, and each replay says where 0 is.</summary>
        internal sealed class InGraph
        {
            private readonly Generator source;
            private readonly Tensor start; // seed, offset: read by the graph's kernels
            private flam_generator counter;

            internal unsafe InGraph(Generator source)
            {
                this.source = source;
                start = new Tensor([2], ScalarType.Int64, source.device);
                using Borrow _ = start.Borrow("capture", out flam_tensor v);
                counter.in_graph = (ulong*)v.data;
            }

            internal bool Of(Generator g) => ReferenceEquals(source, g);

            internal unsafe void Use(string op, Draw draw)
            {
                fixed (flam_generator* g = &counter) Error.Check(draw(g), op);
            }

            /// <summary>Queues, before a replay, where its numbers start, and moves the generator behind them.</summary>
            internal unsafe void Start()
            {
                using Borrow b = start.Borrow("replay", out flam_tensor v);
                flam_tensor* y = &v;
                lock (source.gate)
                {
                    source.Use("replay", g => Native.flam_generator_store(g, y));
                    source.state.philox_offset += counter.philox_offset;
                }
            }
        }

        /// <summary>64 random bits.</summary>
        internal unsafe ulong Bits()
        {
            ulong value = 0;
            lock (gate)
            {
                fixed (flam_generator* g = &state) Error.Check(Native.flam_random_bits64(g, &value), "random");
            }
            return value;
        }

        private unsafe void Seed(ulong seed) => Use("manual_seed", g => Native.flam_generator_seed(g, seed));
    }

    /// <summary>Starts the default streams of all devices anew: a program that calls it gives the same numbers each time.</summary>
    public static Generator manual_seed(long seed)
    {
        Generator.SeedCuda(seed);
        return Generator.Default.manual_seed(seed);
    }

    /// <summary>Starts the default streams of all devices from a random seed, and returns that.</summary>
    public static long seed()
    {
        long value = Generator.Default.seed();
        Generator.SeedCuda(value);
        return value;
    }

    public static long initial_seed() => Generator.Default.initial_seed();

    public static Tensor get_rng_state() => Generator.Default.get_state();

    public static void set_rng_state(Tensor new_state) => Generator.Default.set_state(new_state);

    public static partial class random
    {
        public static Generator manual_seed(long seed) => torch.manual_seed(seed);

        public static long seed() => torch.seed();

        public static long initial_seed() => torch.initial_seed();

        public static Tensor get_rng_state() => torch.get_rng_state();

        public static void set_rng_state(Tensor new_state) => torch.set_rng_state(new_state);
    }
}
