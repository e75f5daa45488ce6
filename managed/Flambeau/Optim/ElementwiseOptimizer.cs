using static Flambeau.torch;

namespace Flambeau.Modules;

/// <summary>An optimizer written with tensor ops, one parameter at a time.</summary>
public abstract class ElementwiseOptimizer : OptimizerHelper
{
    private protected ElementwiseOptimizer(OptimizerOptions defaults) : base(defaults) { }

    private protected sealed override void StepGroup(ParamGroup group, Parameter[] parameters)
    {
        foreach (Parameter p in parameters) Step(p, p.grad!.detach(), StateOf(p), group.Options, group.LearningRate);
    }

    /// <summary>p after one step with gradient g.</summary>
    private protected abstract void Step(Parameter p, Tensor g, OptimizerState state, OptimizerOptions options, double lr);

    /// <summary>+-g + weight_decay p</summary>
    private protected static Tensor Decayed(Parameter p, Tensor g, double weightDecay, bool maximize = false)
    {
        if (maximize) g = g.neg();
        return weightDecay == 0 ? g : g.add(p.detach(), weightDecay);
    }

    /// <summary>mean = beta mean + (1 - beta) x</summary>
    private protected static Tensor Average(ref Tensor? mean, Tensor x, double beta) => (mean ??= zeros(x.sizes, x.dtype, x.device)).mul_(beta).add_(x, 1 - beta);
}
