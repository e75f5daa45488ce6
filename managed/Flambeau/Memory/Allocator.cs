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
        GC.WaitForPendingFinalizers();
        GC.Collect();
        GC.WaitForPendingFinalizers();
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

        private readonly long least; // a smaller budget would collect too often
        private readonly long room = long.MaxValue; // live bytes and budget together should stay below
        private long sinceCollection, live, budget, lastFullLive;

        internal Pressure(torch.Device device)
        {
            least = 192L << 20;
            if (device.type == DeviceType.CUDA)
            {
                long free, total;
                Error.Check(NativeCuda.flam_cuda_memory_info(device.index, &free, &total), "allocate");
                least = Math.Max(Math.Min(least, total / 4), total / 8);
                room = total / 10 * 9;
            }
            budget = least;
        }

        internal void Add(long bytes)
        {
            if (Interlocked.Add(ref sinceCollection, bytes) > Volatile.Read(ref budget)) Collect();
        }

        internal void Take(long bytes) => Interlocked.Add(ref live, bytes);

        internal void Give(long bytes, bool collected)
        {
            Interlocked.Add(ref live, -bytes);
            if (!collected && Interlocked.Add(ref sinceCollection, -bytes) < 0) Volatile.Write(ref sinceCollection, 0);
        }

        /// <summary>Young collections first; older ones only while too much stays alive that the younger did not find.</summary>
        private void Collect()
        {
            if (Interlocked.Exchange(ref collecting, 1) != 0) return;
            try
            {
                long before = Interlocked.Read(ref live);
                long handedOut = Interlocked.Exchange(ref sinceCollection, 0);
                for (int generation = 0; generation <= 2; generation++)
                {
                    GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
                    GC.WaitForPendingFinalizers();
                    // Enough came back if half of what was handed out since the last time is free again.
                    if (before - Interlocked.Read(ref live) >= handedOut / 2) break;
                    if (generation == 1 && Interlocked.Read(ref live) < 2 * lastFullLive + least) break;
                    if (generation == 2) lastFullLive = Interlocked.Read(ref live);
                }
                long now = Interlocked.Read(ref live);
                Volatile.Write(ref budget, Math.Max(Math.Min(Math.Max(least, now / 2), room - now), least / 8));
            }
            finally
            {
                Volatile.Write(ref collecting, 0);
            }
        }
    }
}
