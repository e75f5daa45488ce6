namespace Flambeau;

/// <summary>What autograd knows of a tensor: the node that made it, or that it is a leaf and its gradient.</summary>
internal sealed class Autograd
{
    /// <summary>Set on leaves by the user; a tensor with a node requires a gradient anyway.</summary>
    internal bool LeafRequiresGrad;
    internal bool RetainGrad;
    internal torch.Tensor? Grad;
    internal Node? Node;
    internal int OutputNumber;
    internal AccumulateGrad? Accumulator;

    /// <summary>Called with the gradient of this tensor; a result that is not null replaces it.</summary>
    internal List<Func<torch.Tensor, torch.Tensor?>>? Hooks;

    /// <summary>Counts in-place changes of the history of this tensor, so that views notice that of their base.</summary>
    internal int HistoryStamp;

    /// <summary>For a view: its base's HistoryStamp when Node was made.</summary>
    internal int BaseStamp;

    internal bool RequiresGrad => LeafRequiresGrad || Node != null;
}

/// <summary>Where a gradient flows: output <paramref name="Number"/> of <paramref name="Node"/>; no node = nowhere.</summary>
internal readonly record struct Edge(Node? Node, int Number);

public static partial class torch
{
    [ThreadStatic]
    private static bool grad_disabled;

    [ThreadStatic]
    internal static bool inference;

    /// <summary>True while ops record the graph on this thread.</summary>
    public static bool is_grad_enabled() => !grad_disabled;

    public static bool is_inference_mode_enabled() => inference;

    /// <summary>Nothing is recorded until the result is disposed: <c>using (torch.no_grad()) { ... }</c></summary>
    public static IDisposable no_grad() => new GradMode(enabled: false, inference);

    public static IDisposable enable_grad(bool enabled = true) => new GradMode(enabled, inference);

    /// <summary>Switches recording on or off at once; disposing the result switches back.</summary>
    public static IDisposable set_grad_enabled(bool mode = true) => new GradMode(mode, inference);

    /// <summary>As no_grad; the tensors made inside never take part in autograd.</summary>
    public static IDisposable inference_mode(bool mode = true) => new GradMode(enabled: !mode && !grad_disabled, mode);

    private sealed class GradMode : IDisposable
    {
        private readonly bool oldDisabled = grad_disabled, oldInference = inference;
        private bool done;

        internal GradMode(bool enabled, bool inferenceMode)
        {
            grad_disabled = !enabled;
            inference = inferenceMode;
        }

        public void Dispose()
        {
            if (done) return;
            done = true;
            grad_disabled = oldDisabled;
            inference = oldInference;
        }
    }
}
