using Flambeau.Interop;

namespace Flambeau;

/// <summary>
/// The managed side of the caching allocator. It knows what the collector cannot see, native bytes, and asks for a collection
/// when many have been handed out since the last one, so that programs that dispose nothing run in flat memory.
/// </summary>
internal static unsafe class Allocator
{
    private const long MinimumBudget = 192L << 20;

    private static long sinceCollection;
    private static long live;
    private static long budget = MinimumBudget;
    private static int collecting;

    internal static void* Allocate(long bytes, torch.Device device)
    {
        if (Interlocked.Add(ref sinceCollection, bytes) > Volatile.Read(ref budget)) Collect();
        void* block;
        int status = Native.flam_allocate((int)device.type, Math.Max(device.index, 0), bytes, &block);
        if (status == (int)flam_status.OutOfMemory)
        {
            CollectEverything();
            status = Native.flam_allocate((int)device.type, Math.Max(device.index, 0), bytes, &block);
        }
        Error.Check(status, "allocate");
        Interlocked.Add(ref live, bytes);
        return block;
    }

    internal static void Free(void* block, long bytes, torch.Device device)
    {
        Interlocked.Add(ref live, -bytes);
        _ = Native.flam_free((int)device.type, Math.Max(device.index, 0), block);
    }

    /// <summary>Young collections first; older ones only while too much stays alive that the younger did not find.</summary>
    private static void Collect()
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
                if (generation == 1 && Interlocked.Read(ref live) < 2 * lastFullLive + MinimumBudget) break;
                if (generation == 2) lastFullLive = Interlocked.Read(ref live);
            }
            Volatile.Write(ref budget, Math.Max(MinimumBudget, Interlocked.Read(ref live) / 2));
        }
        finally
        {
            Volatile.Write(ref collecting, 0);
        }
    }

    private static long lastFullLive;

    private static void CollectEverything()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _ = Native.flam_memory_trim(0, 0);
    }
}
