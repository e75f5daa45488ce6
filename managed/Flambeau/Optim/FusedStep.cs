using System.Runtime.InteropServices;
using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau.Modules;

/// <summary>
/// One native call over many parameters: rows of (parameter, gradient, state tensors) as arrays of views, with their memory held.
/// Tensors that are not contiguous go through copies; parameters of different dtypes need calls of their own.
/// </summary>
internal sealed unsafe class FusedStep
{
    private readonly string op;
    private readonly List<flam_tensor>[] views;
    private readonly List<Storage> held = [];
    private readonly List<(Tensor Target, Tensor Copy)> copies = [];

    /// <param name="lanes">Tensors per parameter: itself, its gradient, and what is remembered.</param>
    internal FusedStep(string op, int lanes)
    {
        this.op = op;
        views = new List<flam_tensor>[lanes];
        for (int i = 0; i < lanes; i++) views[i] = [];
    }

    internal int Count => views[0].Count;

    /// <summary>Adds a row. The first tensor is the parameter, the second its gradient, which is only read; null lanes must be null in every row.</summary>
    internal void Add(params ReadOnlySpan<Tensor?> row)
    {
        row[0]!.storage.Version++;
        for (int i = 0; i < row.Length; i++)
        {
            if (row[i] is not { } t) continue;
            Tensor dense = t.contiguous().to(row[0]!.dtype);
            if (!ReferenceEquals(dense, t) && i != 1) copies.Add((t, dense));
            held.Add(dense.Hold(op, out flam_tensor view));
            views[i].Add(view);
        }
    }

    /// <summary>Calls, then lets go of everything.</summary>
    internal void Run(Func<nint[], int> call)
    {
        var pinned = new GCHandle[views.Length];
        try
        {
            if (Count == 0) return;
            var pointers = new nint[views.Length];
            for (int i = 0; i < views.Length; i++)
            {
                if (views[i].Count == 0) continue;
                pinned[i] = GCHandle.Alloc(views[i].ToArray(), GCHandleType.Pinned);
                pointers[i] = pinned[i].AddrOfPinnedObject();
            }
            Error.Check(call(pointers), op);
            foreach ((Tensor target, Tensor copy) in copies) Elementwise.Copy(op, copy, target);
        }
        finally
        {
            foreach (GCHandle p in pinned)
                if (p.IsAllocated) p.Free();
            foreach (Storage s in held) s.LetGo();
            held.Clear();
        }
    }
}
