using System.Diagnostics;
using Flambeau.Interop;

namespace Flambeau;

/// <summary>
/// The managed side of the caching allocators. It knows what the collector cannot see, native bytes, and asks for a collection
/// when many have been handed out on a device since the last one, so that programs that dispose nothing run in flat memory.
/// </summary>
internal static unsafe class Allocator
{
    private static readonly Pressure OfCpu = new(torch.CPU);
    private static Pressure?[] ofCuda = [];

    internal static void* Allocate(long bytes, torch.Device device)
    {
        Reclaimer.SweepIfCollected();
        Pressure pressure = Of(device);
        pressure.Add(bytes);
        void* block;
        int index = Math.Max(device.index, 0), status = Native.flam_allocate((int)device.type, index, bytes, &block);
        if (status == (int)flam_status.OutOfMemory)
        {
            CollectEverything();
            _ = Native.flam_memory_trim((int)device.type, index);
            status = Native.flam_allocate((int)device.type, index, bytes, &block);
        }
        if (status == (int)flam_status.OutOfMemory) throw Error.OutOfMemory("allocate", device);
        Error.Check(status, "allocate");
        pressure.Take(bytes);
        return block;
    }

    /// <summary>collected: by the collector; else what was disposed, for which no collection is needed.</summary>
    internal static void Free(void* block, long bytes, torch.Device device, bool collected)
    {
        Of(device).Give(bytes, collected);
        _ = Native.flam_free((int)device.type, Math.Max(device.index, 0), block);
    }

    /// <summary>Frees all that nobody can reach.</summary>
    internal static void CollectEverything()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers(); // of objects that hold tensors
        GC.Collect();
        Reclaimer.Sweep();
    }

    private static Pressure Of(torch.Device device)
    {
        if (device.type == DeviceType.CPU) return OfCpu;
        Pressure?[] all = ofCuda;
        if ((uint)device.index < (uint)all.Length && all[device.index] is { } known) return known;
        lock (OfCpu)
        {
            if (device.index >= ofCuda.Length) Array.Resize(ref ofCuda, device.index + 1);
            return ofCuda[device.index] ??= new Pressure(device);
        }
    }

    /// <summary>The bytes of one device, and when to collect for their sake.</summary>
    private sealed class Pressure
    {
        private static int collecting;

        // How much of the time collections may take. Young ones may take more: blocks that come back while they are in the processor's cache
        // make everything else faster, and where a collection takes long the heap is large and the budget grows.
        private const double YoungShare = 0.25, FullShare = 0.03;

        private readonly long least, most; // bounds of the budget
        private readonly long room = long.MaxValue; // live bytes and budget together should stay below
        private long sinceCollection, live, budget;
        private long pace; // the budget that keeps to YoungShare
        private long ended, fullEnded, fullTook; // timestamps of the last collections, and a duration
        private long fullLeft; // live bytes after the last full collection

        internal Pressure(torch.Device device)
        {
            (least, most) = (8L << 20, 192L << 20);
            if (device.type == DeviceType.CUDA)
            {
                long free, total;
                Error.Check(NativeCuda.flam_cuda_memory_info(device.index, &free, &total), "allocate");
                least = most = Math.Max(Math.Min(most, total / 4), total / 8);
                room = total / 10 * 9;
            }
            budget = pace = least;
        }

        internal void Add(long bytes)
        {
            if (Interlocked.Read(ref sinceCollection) > Volatile.Read(ref budget)) Collect();
            Interlocked.Add(ref sinceCollection, bytes);
        }

        internal void Take(long bytes) => Interlocked.Add(ref live, bytes);

        internal void Give(long bytes, bool collected)
        {
            Interlocked.Add(ref live, -bytes);
            if (!collected && Interlocked.Add(ref sinceCollection, -bytes) < 0) Volatile.Write(ref sinceCollection, 0);
        }

        /// <summary>
        /// Generation 1, since the tensor that is being made when a collection starts reaches it. A full collection if that brought back less
        /// than half of what was handed out, and either enough time has passed since the last one or too much stays alive.
        /// </summary>
        private void Collect()
        {
            if (Interlocked.Exchange(ref collecting, 1) != 0) return;
            try
            {
                long started = Stopwatch.GetTimestamp();
                long handedOut = Interlocked.Exchange(ref sinceCollection, 0), enough = Interlocked.Read(ref live) - handedOut / 2;
                Collect(1);
                long young = Stopwatch.GetTimestamp(), now = Interlocked.Read(ref live);
                if (now > enough && ((young - fullEnded) * FullShare > fullTook || now > 2 * fullLeft + most))
                {
                    Collect(2);
                    fullEnded = Stopwatch.GetTimestamp();
                    fullTook = fullEnded - young;
                    fullLeft = now = Interlocked.Read(ref live);
                }
                double share = (double)(young - started) / Math.Max(young - ended, 1);
                ended = Stopwatch.GetTimestamp();
                pace = Math.Clamp(share > YoungShare ? 2 * pace : share < YoungShare / 3 ? pace / 2 : pace, least, most);
                // Where little was found, as in a forward pass, soon looking again would not find more.
                long next = now > enough ? Math.Max(pace, now / 4) : pace;
                Volatile.Write(ref budget, Math.Max(Math.Min(next, room - now), least / 8));
            }
            finally
            {
                Volatile.Write(ref collecting, 0);
            }
        }

        private static void Collect(int generation)
        {
            GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
            Reclaimer.Sweep();
        }
    }
}
