using System.Diagnostics;
using Flambeau.Interop;

namespace Flambeau;

/// <summary>
/// Owner of one block of device memory. Counts its holders: every live tensor over it, and each native call while it runs. The block goes
/// back when the last holder lets go, or when the collector finds the storage (<see cref="Reclaimer"/>).
/// </summary>
internal sealed unsafe class Storage
{
    private readonly void* memory;
    private readonly torch.Device device;
    private readonly int slot;
    private readonly Allocator.Pressure? pressure; // null: memory that somebody else owns
    private int holders;
    private int saved; // how often the graph holds this
    private int round; // of the pressure, when the bytes became loose
    private bool held; // not loose, since the graph holds them

    /// <summary>Memory of a CUDA graph's own pool.</summary>
    internal readonly bool MadeInCapture;

    /// <summary>Counts in-place changes; autograd compares it with the count at the time of saving.</summary>
    internal int Version;

    internal Storage(long bytes, torch.Device device)
    {
        this.device = device;
        Bytes = bytes;
        MadeInCapture = device.type == DeviceType.CUDA && Capture.Running;
        memory = Allocator.Allocate(bytes, device, out pressure);
        round = pressure.Round;
        slot = Reclaimer.Add(this, new Block(memory, bytes, device, release: null));
    }

    /// <summary>Memory that somebody else owns; <paramref name="release"/> is called once, when nothing uses it any more.</summary>
    internal Storage(void* memory, long bytes, Action release)
    {
        device = torch.CPU;
        Bytes = bytes;
        this.memory = memory;
        slot = Reclaimer.Add(this, new Block(memory, bytes, device, release));
    }

    internal long Bytes { get; }

    private long Weight => Allocator.Pressure.Weight(Bytes);

    internal torch.Device Device => device;

    /// <summary>Valid between TryHold and LetGo.</summary>
    internal void* Pointer => memory;

    /// <summary>One more holder, or false if the block is gone.</summary>
    internal bool TryHold()
    {
        int seen = Volatile.Read(ref holders);
        while (seen > 0)
        {
            int before = Interlocked.CompareExchange(ref holders, seen + 1, seen);
            if (before == seen) return true;
            seen = before;
        }
        return false;
    }

    /// <summary>The first holder of a storage that was just made.</summary>
    internal void HoldFirst() => holders = 1;

    internal bool HeldOnce => Volatile.Read(ref holders) == 1;

    /// <summary>The graph keeps this for backward: what is no older than the last collection does not call for the next one.</summary>
    internal void Save()
    {
        if (Interlocked.Increment(ref saved) != 1 || pressure is null || round != pressure.Round) return;
        held = true;
        pressure.Held(Weight);
    }

    internal void Unsave()
    {
        if (Interlocked.Decrement(ref saved) != 0 || !held) return;
        held = false;
        int now = pressure!.Round;
        pressure.LetGo(Weight, old: round != now);
        round = now;
    }

    internal void LetGo()
    {
        int left = Interlocked.Decrement(ref holders);
        Debug.Assert(left >= 0);
        if (left != 0) return;
        Block block = Reclaimer.Remove(slot);
        GC.KeepAlive(this); // else a sweep could find the storage dead before Remove has, and give its slot away
        if (pressure is not null && round == pressure.Round) pressure.Returned(Weight);
        block.Free();
    }
}

/// <summary>A storage held for the length of one native call: a tensor disposed or collected meanwhile does not take the memory away.</summary>
internal readonly ref struct Borrow
{
    private readonly Storage storage;

    internal Borrow(Storage storage) => this.storage = storage;

    public void Dispose() => storage.LetGo();
}
