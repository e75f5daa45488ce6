using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>-log softmax(x) at the target class; x [batch, classes, ..], target of class numbers, or of probabilities in x's shape.</summary>
            public static CrossEntropyLoss CrossEntropyLoss(Tensor? weight = null, long? ignore_index = null, Reduction reduction = Reduction.Mean, double label_smoothing = 0) => new(weight, ignore_index, reduction, label_smoothing);

            /// <summary>-x at the target class, x being log probabilities [batch, classes, ..].</summary>
            public static NLLLoss NLLLoss(Tensor? weight = null, Reduction reduction = Reduction.Mean, long ignore_index = -100) => new(weight, reduction, ignore_index);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>-log softmax(x) at the target class; x [batch, classes, ..], target of class numbers, or of probabilities in x's shape.</summary>
    public class CrossEntropyLoss(Tensor? weight = null, long? ignore_index = null, Reduction reduction = Reduction.Mean, double label_smoothing = 0) : WeightedLoss<Tensor, Tensor, Tensor>(weight, reduction)
    {
        public long? ignore_index { get; } = ignore_index;

        public double label_smoothing { get; } = label_smoothing;

        public override Tensor forward(Tensor input, Tensor target) => functional.cross_entropy(input, target, weight, ignore_index ?? -100, reduction, label_smoothing);
    }

    /// <summary>-x at the target class, x being log probabilities [batch, classes, ..].</summary>
    public class NLLLoss(Tensor? weight = null, Reduction reduction = Reduction.Mean, long ignore_index = -100) : WeightedLoss<Tensor, Tensor, Tensor>(weight, reduction)
    {
        public long ignore_index { get; } = ignore_index;

        public override Tensor forward(Tensor input, Tensor target) => functional.nll_loss(input, target, weight, ignore_index, reduction);
    }
}
