using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    /// <summary>The state of a stream of random numbers. The same seed gives the same numbers as PyTorch on the CPU. Safe to share between threads.</summary>
    public sealed class Generator : IDisposable
    {
        private const ulong DefaultSeed = 67280421310721; // PyTorch's

        private flam_generator state;
        private readonly Lock gate = new();

        public Generator(ulong seed = 0, Device? device = null)
        {
            this.device = Available("Generator", device);
            Seed(seed);
        }

        /// <summary>The generator that everything uses unless told otherwise.</summary>
        public static Generator Default { get; } = new(DefaultSeed);

        public Device device { get; }

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

        /// <summary>The whole state as a tensor of bytes.</summary>
        public Tensor get_state()
        {
            lock (gate) return FromSpan("get_state", MemoryMarshal.AsBytes(new ReadOnlySpan<flam_generator>(in state)), [Unsafe.SizeOf<flam_generator>()], null, CPU, false);
        }

        /// <summary>Continues from a state that get_state returned.</summary>
        /// <exception cref="ArgumentException">Not such a tensor.</exception>
        public void set_state(Tensor value)
        {
            ArgumentNullException.ThrowIfNull(value);
            int bytes = Unsafe.SizeOf<flam_generator>();
            if (value.dtype != ScalarType.Byte || value.numel() != bytes) throw Error.Argument("set_state", $"the state must be {bytes} elements of uint8, not {Error.Shape(value.sizes)} of {value.dtype.name()}");
            lock (gate) value.data<byte>().CopyTo(MemoryMarshal.AsBytes(new Span<flam_generator>(ref state)));
        }

        public void Dispose() { }

        internal unsafe delegate int Draw(flam_generator* g);

        /// <summary>One native call that draws from this stream.</summary>
        internal unsafe void Use(string op, Draw draw)
        {
            lock (gate)
            {
                fixed (flam_generator* g = &state) Error.Check(draw(g), op);
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

    /// <summary>Starts the default stream anew: a program that calls it gives the same numbers each time.</summary>
    public static Generator manual_seed(long seed) => Generator.Default.manual_seed(seed);

    public static long seed() => Generator.Default.seed();

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
