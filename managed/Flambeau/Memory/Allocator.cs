using System.Diagnostics;
using Flambeau.Interop;

namespace Flambeau;

/// <summary>
/// The managed side of the caching allocators. It knows what the collector cannot see, native bytes, and asks for a collection
/// when many may have become garbage on a device since the last one, so that programs that dispose nothing run in flat memory.
/// </summary>
internal static unsafe class Allocator
{
    private static readonly Pressure OfCpu = new(torch.CPU);
    private static Pressure?[] ofCuda = [];

    internal static void* Allocate(long bytes, torch.Device device, out Pressure pressure)
    {
        Reclaimer.SweepIfCollected();
        pressure = Of(device);
        pressure.Prepare();
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
        pressure.Take(Pressure.Weight(bytes));
        return block;
    }

    internal static void Free(void* block, long bytes, torch.Device device)
    {
        Of(device).Give(Pressure.Weight(bytes));
        _ = Native.flam_free((int)device.type, Math.Max(device.index, 0), block);
    }

    /// <summary>Frees all that nobody can reach.</summary>
    internal static void CollectEverything()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers(); // of objects that hold tensors
        GC.Collect();
        Reclaimer.Sweep();
        OfCpu.StartAgain();
        foreach (Pressure? p in ofCuda) p?.StartAgain();
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

    /// <summary>The bytes of one device, and when to collect for their sake. All are weights (<see cref="Weight"/>).</summary>
    internal sealed class Pressure
    {
        // A small tensor costs the collector as much as this many bytes cost the caches: some thousands of them are looked through
        // in 0.1 ms, and the managed objects of these still fit the second cache.
        private const long Each = 2048;

        private static int collecting;

        // How much of the time collections may take. Young ones may take more: blocks that come back while they are in the processor's cache
        // make everything else faster, and where a collection takes long the heap is large and the budget grows.
        private const double YoungShare = 0.25, FullShare = 0.03;

        private readonly long least, most; // bounds of the budget
        private readonly long room = long.MaxValue; // live bytes and budget together should stay below
        private long live;
        private long loose, handedOut; // since the last collection: what may be garbage, and with what the graph holds
        private long budget, patience; // for these two
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
            patience = Patience(0);
        }

        /// <summary>What a block of that many bytes counts for.</summary>
        internal static long Weight(long bytes) => bytes + Each;

        /// <summary>Counts collections; a storage remembers in which round its bytes became loose.</summary>
        internal int Round { get; private set; }

        /// <summary>Collects if it is time to.</summary>
        internal void Prepare()
        {
            if (Interlocked.Read(ref loose) > Volatile.Read(ref budget) || Interlocked.Read(ref handedOut) > Volatile.Read(ref patience)) Collect();
        }

        /// <summary>After everything was collected: as at first.</summary>
        internal void StartAgain()
        {
            _ = Collected();
            long now = Interlocked.Read(ref live);
            pace = least;
            Volatile.Write(ref budget, Fit(pace, now));
            Volatile.Write(ref patience, Fit(Patience(now), now));
        }

        /// <summary>Nothing is garbage now. Returns what was handed out, and what of it was loose.</summary>
        private (long All, long Loose) Collected()
        {
            Round++;
            return (Interlocked.Exchange(ref handedOut, 0), Interlocked.Exchange(ref loose, 0));
        }

        internal void Take(long bytes)
        {
            Interlocked.Add(ref live, bytes);
            Interlocked.Add(ref handedOut, bytes);
            Interlocked.Add(ref loose, bytes);
        }

        internal void Give(long bytes) => Interlocked.Add(ref live, -bytes);

        /// <summary>Bytes of this round went back without a collection.</summary>
        internal void Returned(long bytes)
        {
            Interlocked.Add(ref handedOut, -bytes);
            Interlocked.Add(ref loose, -bytes);
        }

        /// <summary>The graph holds bytes that were loose in this round: they cannot be garbage until backward has passed.</summary>
        internal void Held(long bytes) => Interlocked.Add(ref loose, -bytes);

        /// <summary>old: from before the last collection, which counted them as done with.</summary>
        internal void LetGo(long bytes, bool old)
        {
            Interlocked.Add(ref loose, bytes);
            if (old) Interlocked.Add(ref handedOut, bytes);
        }

        /// <summary>
        /// Generation 1, since the tensor that is being made when a collection starts reaches it. A full collection if that brought back less
        /// than half of what it was for, and either enough time has passed since the last one or too much stays alive.
        /// </summary>
        private void Collect()
        {
            if (Interlocked.Exchange(ref collecting, 1) != 0) return;
            try
            {
                long started = Stopwatch.GetTimestamp();
                (long all, long some) = Collected();
                bool impatient = some <= budget; // a graph that nobody used may have become garbage
                long enough = Interlocked.Read(ref live) - (impatient ? all : some) / 2;
                GC.Collect(1, GCCollectionMode.Forced, blocking: true);
                long searched = Stopwatch.GetTimestamp();
                Reclaimer.Sweep();
                long young = Stopwatch.GetTimestamp(), now = Interlocked.Read(ref live);
                if (now > enough && ((young - fullEnded) * FullShare > fullTook || now > 2 * fullLeft + most))
                {
                    GC.Collect(2, GCCollectionMode.Forced, blocking: true);
                    Reclaimer.Sweep();
                    fullEnded = Stopwatch.GetTimestamp();
                    fullTook = fullEnded - young;
                    fullLeft = now = Interlocked.Read(ref live);
                }
                // Sweeps take as long for each block however many there are: a larger budget would not save any of that.
                double share = (double)(searched - started) / Math.Max(young - ended, 1);
                ended = Stopwatch.GetTimestamp();
                pace = Math.Clamp(share > YoungShare ? 2 * pace : share < YoungShare / 2 ? pace / 2 : pace, least, most);
                // Where much lives a little garbage beside it does no harm, and where little was found soon looking again would not find more.
                Volatile.Write(ref budget, Fit(Math.Max(pace, now / (now > enough && !impatient ? 4 : 8)), now));
                Volatile.Write(ref patience, Fit(Patience(now), now));
            }
            finally
            {
                Volatile.Write(ref collecting, 0);
            }
        }

        private long Patience(long now) => Math.Max(4 * pace, now / 2);

        private long Fit(long bytes, long now) => Math.Max(Math.Min(bytes, room - now), least / 8);
    }
}
