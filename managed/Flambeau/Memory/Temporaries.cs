using static Flambeau.torch;

namespace Flambeau;

/// <summary>
/// What an op makes on the way to its result: tensors made on this thread while it is open are disposed with it, but for those kept.
/// Their memory is used again while it is in the cache, and calls for no collection. Only where no code of the user runs in between.
/// </summary>
internal readonly ref struct Temporaries
{
    private sealed class State
    {
        internal readonly List<Tensor> Made = [];
        internal readonly List<Tensor> Kept = [];
        internal int Open;
    }

    [ThreadStatic]
    private static State? of_thread;

    private readonly State state;
    private readonly int made, kept; // lengths of the lists when this was opened

    private Temporaries(State state)
    {
        this.state = state;
        made = state.Made.Count;
        kept = state.Kept.Count;
        state.Open++;
    }

    internal static Temporaries Open() => new(of_thread ??= new State());

    /// <summary>Called for each new tensor outside dispose scopes.</summary>
    internal static void Add(Tensor tensor)
    {
        if (of_thread is { Open: > 0 } s) s.Made.Add(tensor);
    }

    /// <summary>Called for the newest tensor if it is to live on: what the graph saves and parameters.</summary>
    internal static void Forget(Tensor newest)
    {
        if (of_thread is { Open: > 0 } s && ReferenceEquals(s.Made[^1], newest)) s.Made.RemoveAt(s.Made.Count - 1);
    }

    /// <summary>The result: lives on. If it is a view of something made meanwhile, nobody else will see its memory, and it becomes a tensor of its own.</summary>
    internal Tensor Keep(Tensor y)
    {
        state.Kept.Add(y);
        if (y.view_base is { } b && IndexOf(state.Made, made, b) >= 0) y.view_base = null;
        return y;
    }

    public void Dispose()
    {
        state.Open--;
        for (int i = kept; i < state.Kept.Count; i++)
        {
            int at = IndexOf(state.Made, made, state.Kept[i]);
            if (at < 0) state.Kept.RemoveAt(i--); // an input
            else state.Made.RemoveAt(at);
        }
        for (int i = made; i < state.Made.Count; i++) state.Made[i].Dispose();
        state.Made.RemoveRange(made, state.Made.Count - made);
        if (state.Open > 0)
            for (int i = kept; i < state.Kept.Count; i++) state.Made.Add(state.Kept[i]);
        state.Kept.RemoveRange(kept, state.Kept.Count - kept);
    }

    private static int IndexOf(List<Tensor> list, int start, Tensor x)
    {
        for (int i = list.Count - 1; i >= start; i--)
            if (ReferenceEquals(list[i], x)) return i;
        return -1;
    }
}
