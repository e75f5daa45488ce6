using System.Runtime.InteropServices;

namespace Flambeau;

/// <summary>What a storage gives back when it ends.</summary>
internal readonly unsafe struct Block(void* memory, long bytes, torch.Device device, Action? release)
{
    private readonly void* memory = memory;

    internal void Free()
    {
        if (release is not null) release();
        else Allocator.Free(memory, bytes, device);
    }
}

/// <summary>
/// Frees the blocks of storages that nobody can reach any more. One weak handle per storage tells which; finalizers would cost several
/// times as much, since they slow each allocation down and keep the dead alive until the next collection.
/// </summary>
internal static class Reclaimer
{
    private const int ChunkLog = 10, ChunkSize = 1 << ChunkLog;
    private const int None = -1;

    private struct Slot
    {
        internal GCHandle Owner; // of the storage; made once, used by one storage after the other
        internal Block Block;
        internal bool Used;
        internal int NextFree;
    }

    /// <summary>Slots are kept once made; sweeps pass over chunks without a storage, so that a time of many small tensors does not slow all later sweeps.</summary>
    private sealed class Chunk
    {
        internal readonly Slot[] Slots = new Slot[ChunkSize];
        internal int Used;
    }

    private static readonly Lock gate = new(), sweeping = new();
    private static readonly Block[] found = new Block[ChunkSize];
    private static Chunk[] chunks = [];
    private static int made, free = None;
    private static int sweptAt; // collections so far, at the last sweep

    static Reclaimer() => _ = new AfterCollections();

    /// <summary>The slot of a storage that was just made.</summary>
    internal static int Add(Storage owner, in Block block)
    {
        lock (gate)
        {
            if (free == None) Grow();
            int index = free;
            ref Slot slot = ref At(index);
            slot.Owner.Target = owner;
            free = slot.NextFree;
            slot.Block = block;
            slot.Used = true;
            chunks[index >> ChunkLog].Used++;
            return index;
        }
    }

    /// <summary>The block of a storage that ends before the collector finds it. Called once per storage.</summary>
    internal static Block Remove(int index)
    {
        lock (gate)
        {
            ref Slot slot = ref At(index);
            slot.Owner.Target = null;
            return Take(index, ref slot);
        }
    }

    /// <summary>Sweeps if the collector has run since the last time.</summary>
    internal static void SweepIfCollected()
    {
        if (GC.CollectionCount(0) == Volatile.Read(ref sweptAt) || !sweeping.TryEnter()) return;
        try
        {
            SweepLocked();
        }
        finally
        {
            sweeping.Exit();
        }
    }

    /// <summary>Frees everything that the last collection found.</summary>
    internal static void Sweep()
    {
        lock (sweeping) SweepLocked();
    }

    private static void SweepLocked()
    {
        Volatile.Write(ref sweptAt, GC.CollectionCount(0));
        int end = Volatile.Read(ref made);
        for (int from = 0; from < end; from += ChunkSize)
        {
            int count = 0;
            if (Volatile.Read(ref chunks[from >> ChunkLog].Used) == 0) continue;
            lock (gate)
            {
                Slot[] chunk = chunks[from >> ChunkLog].Slots;
                for (int i = 0; i < ChunkSize; i++)
                    if (chunk[i].Used && chunk[i].Owner.Target is null)
                        found[count++] = Take(from + i, ref chunk[i]);
            }
            for (int i = 0; i < count; i++) found[i].Free();
            Array.Clear(found, 0, count);
        }
    }

    private static ref Slot At(int index) => ref chunks[index >> ChunkLog].Slots[index & (ChunkSize - 1)];

    private static Block Take(int index, ref Slot slot)
    {
        Block block = slot.Block;
        slot.Block = default;
        slot.Used = false;
        chunks[index >> ChunkLog].Used--;
        slot.NextFree = free;
        free = index;
        return block;
    }

    private static void Grow()
    {
        var chunk = new Chunk();
        for (int i = 0; i < ChunkSize; i++)
        {
            // Tracks resurrection: a storage that someone's finalizer can still reach is not freed before that has run.
            chunk.Slots[i].Owner = GCHandle.Alloc(null, GCHandleType.WeakTrackResurrection);
            chunk.Slots[i].NextFree = i + 1 < ChunkSize ? made + i + 1 : None;
        }
        Chunk[] grown = [.. chunks, chunk];
        chunks = grown;
        free = made;
        Volatile.Write(ref made, made + ChunkSize);
    }

    /// <summary>Ages with the first collections and then runs after each full one, for programs that allocate nothing any more.</summary>
    private sealed class AfterCollections
    {
        ~AfterCollections()
        {
            if (!Environment.HasShutdownStarted) GC.ReRegisterForFinalize(this);
            Sweep();
        }
    }
}
