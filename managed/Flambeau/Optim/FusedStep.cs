using System.Runtime.CompilerServices;
using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau.Modules;

/// <summary>
/// One native call over many parameters: rows of (parameter, gradient, state tensors) as arrays of views, with their memory held.
/// Tensors that are not contiguous go through copies; parameters of different dtypes or devices need calls of their own. The arrays serve every step.
/// </summary>
internal sealed unsafe class FusedStep(string op, int lanes)
{
    private readonly flam_tensor[]?[] views = new flam_tensor[lanes][]; // pinned
    private readonly bool[] used = new bool[lanes];
    private readonly List<Storage> held = [];
    private readonly List<(Tensor Target, Tensor Copy)> copies = [];

    internal int Count { get; private set; }

    /// <summary>Adds a row. The first tensor is the parameter, the second its gradient, which is only read; null lanes must be null in every row.</summary>
    internal void Add(params ReadOnlySpan<Tensor?> row)
    {
        Elementwise.SameDevice(op, row);
        try
        {
            for (int i = 0; i < row.Length; i++)
            {
                if (row[i] is not { } t) continue;
                Tensor dense = t.contiguous().to(row[0]!.dtype);
                if (!ReferenceEquals(dense, t) && i != 1) copies.Add((t, dense));
                held.Add(dense.Hold(op, out flam_tensor view));
                Place(i) = view;
                used[i] = true;
            }
        }
        catch
        {
            Release();
            throw;
        }
        row[0]!.storage.Version++;
        Count++;
    }

    private ref flam_tensor Place(int lane)
    {
        flam_tensor[] array = views[lane] ??= GC.AllocateUninitializedArray<flam_tensor>(16, pinned: true);
        if (Count == array.Length)
        {
            views[lane] = GC.AllocateUninitializedArray<flam_tensor>(2 * Count, pinned: true);
            array.CopyTo(views[lane]!, 0);
        }
        return ref views[lane]![Count];
    }

    /// <summary>The views of a lane; null if it has none.</summary>
    internal flam_tensor* Lane(int i) => used[i] ? (flam_tensor*)Unsafe.AsPointer(ref views[i]![0]) : null;

    /// <summary>Calls unless there are no rows, then lets go of everything.</summary>
    internal void Run(Func<int> call)
    {
        try
        {
            if (Count == 0) return;
            Error.Check(call(), op);
            foreach ((Tensor target, Tensor copy) in copies) Elementwise.Copy(op, copy, target);
        }
        finally
        {
            Release();
        }
    }

    private void Release()
    {
        foreach (Storage s in held) s.LetGo();
        held.Clear();
        copies.Clear();
        Array.Clear(used);
        Count = 0;
    }
}
