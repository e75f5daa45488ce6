using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau;

/// <summary>A loss of two inputs: reduction says whether its elements are added, averaged or left.</summary>
public abstract class Loss<T1, T2, TResult>(nn.Reduction reduction = nn.Reduction.Mean) : Module<T1, T2, TResult>
{
    public nn.Reduction reduction { get; } = reduction;
}

/// <summary>A loss of three inputs: reduction says whether its elements are added, averaged or left.</summary>
public abstract class Loss<T1, T2, T3, TResult>(nn.Reduction reduction = nn.Reduction.Mean) : Module<T1, T2, T3, TResult>
{
    public nn.Reduction reduction { get; } = reduction;
}

/// <summary>A loss of four inputs: reduction says whether its elements are added, averaged or left.</summary>
public abstract class Loss<T1, T2, T3, T4, TResult>(nn.Reduction reduction = nn.Reduction.Mean) : Module<T1, T2, T3, T4, TResult>
{
    public nn.Reduction reduction { get; } = reduction;
}

/// <summary>A loss with weights, which are a buffer named weight.</summary>
public abstract class WeightedLoss<T1, T2, TResult> : Loss<T1, T2, TResult>
{
    protected WeightedLoss(Tensor? weight = null, nn.Reduction reduction = nn.Reduction.Mean) : base(reduction)
    {
        this.weight = weight;
        register_buffer("weight", weight);
    }

    public Tensor? weight { get; }
}
