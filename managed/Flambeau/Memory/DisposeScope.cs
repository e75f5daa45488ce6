namespace Flambeau;

/// <summary>
/// Disposes what was made while it was open. There for ported programs: nothing needs it, and without one a new tensor costs one
/// null check. Belongs to the thread that opened it.
/// </summary>
public sealed class DisposeScope : IDisposable
{
    [ThreadStatic]
    private static DisposeScope? current;

    private readonly DisposeScope? outer;
    private readonly HashSet<IDisposable> inside = new(ReferenceEqualityComparer.Instance);
    private bool closed;

    internal DisposeScope()
    {
        outer = current;
        current = this;
    }

    /// <summary>The innermost scope open on this thread.</summary>
    internal static DisposeScope? Current => current;

    /// <summary>Called for each new tensor.</summary>
    internal static void Made(torch.Tensor tensor)
    {
        if (current is { } scope) scope.Register(tensor);
        else Temporaries.Add(tensor);
    }

    /// <summary>The newest tensor outlives scopes.</summary>
    internal static void Outlives(torch.Tensor newest)
    {
        if (current is { } scope) scope.Forget(newest);
        else Temporaries.Forget(newest);
    }

    public int DisposablesCount => inside.Count;

    public IReadOnlyList<IDisposable> DisposablesView => [.. inside];

    public bool Contains(IDisposable disposable) => inside.Contains(disposable);

    /// <summary>Puts things in this scope, and out of the one they are in.</summary>
    public void Attach(params IDisposable[] disposables) => Attach((IEnumerable<IDisposable>)disposables);

    public void Attach(IDisposable disposable) => Attach((IEnumerable<IDisposable>)[disposable]);

    public IReadOnlyList<IDisposable> Attach(IEnumerable<IDisposable> disposables)
    {
        IDisposable[] all = [.. disposables];
        foreach (IDisposable d in all)
        {
            Holder(d)?.inside.Remove(d);
            inside.Add(d);
            DisposeScopeManager.Statistics.CountAttached();
        }
        return all;
    }

    /// <summary>Takes things out of this scope: they live on.</summary>
    public T Detach<T>(T disposable)
        where T : IDisposable
    {
        if (inside.Remove(disposable)) DisposeScopeManager.Statistics.CountDetached();
        return disposable;
    }

    public (T1 first, T2 second) Detach<T1, T2>(T1 first, T2 second)
        where T1 : IDisposable
        where T2 : IDisposable => (Detach(first), Detach(second));

    public (T1 first, T2 second, T3 third) Detach<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable
        where T2 : IDisposable
        where T3 : IDisposable => (Detach(first), Detach(second), Detach(third));

    public void Detach(params IDisposable[] disposables) => Detach((IEnumerable<IDisposable>)disposables);

    public void Detach(IEnumerable<IDisposable> disposables)
    {
        foreach (IDisposable d in disposables) Detach<IDisposable>(d);
    }

    /// <summary>Hands things to the scope around this one, or to none.</summary>
    public T MoveToOuter<T>(T disposable)
        where T : IDisposable => MoveToOther(outer, disposable);

    public (T1 first, T2 second) MoveToOuter<T1, T2>(T1 first, T2 second)
        where T1 : IDisposable
        where T2 : IDisposable => (MoveToOuter(first), MoveToOuter(second));

    public (T1 first, T2 second, T3 third) MoveToOuter<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable
        where T2 : IDisposable
        where T3 : IDisposable => (MoveToOuter(first), MoveToOuter(second), MoveToOuter(third));

    public void MoveToOuter(params IDisposable[] disposables) => MoveToOther(outer, disposables);

    public void MoveToOuter(IEnumerable<IDisposable> disposables) => MoveToOther(outer, disposables);

    public T MoveToOther<T>(DisposeScope? scope, T disposable)
        where T : IDisposable
    {
        if (!inside.Remove(disposable)) return disposable;
        if (scope is null) DisposeScopeManager.Statistics.CountDetached();
        else scope.inside.Add(disposable);
        return disposable;
    }

    public (T1 first, T2 second) MoveToOther<T1, T2>(DisposeScope? scope, T1 first, T2 second)
        where T1 : IDisposable
        where T2 : IDisposable => (MoveToOther(scope, first), MoveToOther(scope, second));

    public (T1 first, T2 second, T3 third) MoveToOther<T1, T2, T3>(DisposeScope? scope, T1 first, T2 second, T3 third)
        where T1 : IDisposable
        where T2 : IDisposable
        where T3 : IDisposable => (MoveToOther(scope, first), MoveToOther(scope, second), MoveToOther(scope, third));

    public void MoveToOther(DisposeScope? scope, params IDisposable[] disposables) => MoveToOther(scope, (IEnumerable<IDisposable>)disposables);

    public void MoveToOther(DisposeScope? scope, IEnumerable<IDisposable> disposables)
    {
        foreach (IDisposable d in disposables) MoveToOther<IDisposable>(scope, d);
    }

    public void DisposeEverything() => DisposeEverythingBut(Array.Empty<IDisposable>());

    public T DisposeEverythingBut<T>(T keep)
        where T : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[keep]);
        return keep;
    }

    public (T1 first, T2 second) DisposeEverythingBut<T1, T2>(T1 first, T2 second)
        where T1 : IDisposable
        where T2 : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[first, second]);
        return (first, second);
    }

    public (T1 first, T2 second, T3 third) DisposeEverythingBut<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable
        where T2 : IDisposable
        where T3 : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[first, second, third]);
        return (first, second, third);
    }

    public void DisposeEverythingBut(params IDisposable[] keep) => DisposeEverythingBut((IEnumerable<IDisposable>)keep);

    public void DisposeEverythingBut(IEnumerable<IDisposable> inKeep)
    {
        var keep = new HashSet<IDisposable>(inKeep, ReferenceEqualityComparer.Instance);
        IDisposable[] gone = [.. inside.Where(d => !keep.Contains(d))];
        foreach (IDisposable d in gone)
        {
            inside.Remove(d);
            d.Dispose();
            DisposeScopeManager.Statistics.CountDisposed();
        }
    }

    /// <summary>Forgets something that was disposed by other means.</summary>
    public void MarkAsDisposed(IDisposable disposable) => Forget(disposable);

    /// <summary>Disposes what is inside and closes the scope, and those opened in it and left open.</summary>
    public void Dispose()
    {
        if (closed) return;
        closed = true;
        for (DisposeScope? s = current; s is not null; s = s.outer)
        {
            if (!ReferenceEquals(s, this)) continue;
            current = outer;
            break;
        }
        DisposeEverything();
    }

    internal void Register(IDisposable made)
    {
        inside.Add(made);
        DisposeScopeManager.Statistics.CountCreated();
    }

    internal void Forget(IDisposable disposable)
    {
        for (DisposeScope? s = this; s is not null; s = s.outer)
            if (s.inside.Remove(disposable)) return;
    }

    /// <summary>No scope is open until the result is disposed: for what the library makes to keep, as gradients and optimizer states.</summary>
    internal static Pause Suspend() => new(current);

    internal readonly ref struct Pause
    {
        private readonly DisposeScope? open;

        internal Pause(DisposeScope? open)
        {
            this.open = open;
            current = null;
        }

        public void Dispose() => current = open;
    }

    /// <summary>The scope on this thread that something is in.</summary>
    internal static DisposeScope? Holder(IDisposable disposable)
    {
        for (DisposeScope? s = current; s is not null; s = s.outer)
            if (s.inside.Contains(disposable)) return s;
        return null;
    }
}

/// <summary>Counters of this thread's dispose scopes.</summary>
public static class DisposeScopeManager
{
    [ThreadStatic]
    private static ThreadDisposeScopeStatistics? statistics;

    public static ThreadDisposeScopeStatistics Statistics => statistics ??= new ThreadDisposeScopeStatistics();
}

/// <summary>What happened in dispose scopes on one thread. Tensors made while no scope is open are not counted: that would cost something.</summary>
public sealed class ThreadDisposeScopeStatistics
{
    public long CreatedInScopeCount { get; private set; }

    public long AttachedToScopeCount { get; private set; }

    public long DetachedFromScopeCount { get; private set; }

    public long DisposedInScopeCount { get; private set; }

    public void Reset() => CreatedInScopeCount = AttachedToScopeCount = DetachedFromScopeCount = DisposedInScopeCount = 0;

    public override string ToString() =>
        $"created: {CreatedInScopeCount}, attached: {AttachedToScopeCount}, detached: {DetachedFromScopeCount}, disposed: {DisposedInScopeCount}";

    internal void CountCreated() => CreatedInScopeCount++;

    internal void CountAttached() => AttachedToScopeCount++;

    internal void CountDetached() => DetachedFromScopeCount++;

    internal void CountDisposed() => DisposedInScopeCount++;
}

public static partial class torch
{
    /// <summary>Tensors made from now on, on this thread, are disposed with the scope unless moved out of it.</summary>
    public static DisposeScope NewDisposeScope() => new();

    public static DisposeScope? CurrentDisposeScope => DisposeScope.Current;

    /// <summary>Runs an expression in a scope of its own: all it made is disposed but the result.</summary>
    public static Tensor WrappedTensorDisposeScope(Func<Tensor> expr)
    {
        using DisposeScope scope = NewDisposeScope();
        return expr().MoveToOuterDisposeScope();
    }

    public partial class Tensor
    {
        /// <summary>Hands this tensor to the scope around the one it is in.</summary>
        public Tensor MoveToOuterDisposeScope()
        {
            DisposeScope.Holder(this)?.MoveToOuter(this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(DisposeScope? other)
        {
            DisposeScope.Holder(this)?.MoveToOther(other, this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(Tensor other) => MoveToOtherDisposeScope(DisposeScope.Holder(other));

        /// <summary>Takes this tensor out of every scope: it lives until it is disposed or collected.</summary>
        public Tensor DetachFromDisposeScope()
        {
            DisposeScope.Holder(this)?.Detach(this);
            return this;
        }

        public Tensor DetatchFromDisposeScope() => DetachFromDisposeScope();
    }
}
