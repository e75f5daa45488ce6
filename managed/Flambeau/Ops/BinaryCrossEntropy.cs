namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>-weight (target log(input) + (1 - target) log(1 - input)), logarithms at least -100; input in [0, 1].</summary>
            /// <exception cref="ArgumentException">Shapes differ, or an input is outside [0, 1] (on the CPU; a CUDA device is not waited for, and gives NaN).</exception>
            public static Tensor binary_cross_entropy(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean)
            {
                const string name = "binary_cross_entropy";
                if (!input.sizes.AsSpan().SequenceEqual(target.sizes)) throw Error.Argument(name, $"input {Error.Shape(input.sizes)} and target {Error.Shape(target.sizes)} differ");
                input.FloatOnly(name);
                Elementwise.SameDevice(name, input, target, weight);
                Tensor y;
                using (no_grad())
                {
                    if (input.is_cpu() && !(input >= 0).logical_and(input <= 1).all().item<bool>()) throw Error.Argument(name, "all inputs must be between 0 and 1; use binary_cross_entropy_with_logits for others");
                    y = (target - 1) * (-input).log1p().clamp_min(-100) - target * input.log().clamp_min(-100);
                }
                // dx = dy (x - t) / max(x (1 - x), 1e-12), dt = dy (log(1 - x) - log(x))
                Graph.Record(name, y, [input, target], [input, target], static (n, dy) =>
                {
                    Tensor x = n[0], t = n[1];
                    Tensor? dx = n.Needs(0) ? dy * (x - t) / (x * (1 - x)).clamp_min(1e-12) : null;
                    return [dx, n.Needs(1) ? dy * ((-x).log1p().clamp_min(-100) - x.log().clamp_min(-100)) : null];
                });
                return Reduced(name, weight is null ? y : y * weight, reduction);
            }

            /// <summary>
            /// The binary cross entropy of sigmoid(input), without overflow: weight ((1 - t) x + (1 + (pos_weights - 1) t) softplus(-x)).
            /// </summary>
            /// <exception cref="ArgumentException">Shapes differ.</exception>
            public static Tensor binary_cross_entropy_with_logits(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean, Tensor? pos_weights = null)
            {
                const string name = "binary_cross_entropy_with_logits";
                if (!input.sizes.AsSpan().SequenceEqual(target.sizes)) throw Error.Argument(name, $"input {Error.Shape(input.sizes)} and target {Error.Shape(target.sizes)} differ");
                Tensor log = input.log_sigmoid(), rest = (1 - target) * input;
                Tensor loss = pos_weights is null ? rest - log : rest - ((pos_weights - 1) * target + 1) * log;
                return Reduced(name, weight is null ? loss : loss * weight, reduction);
            }

            /// <summary>The mean over classes of the binary cross entropies of sigmoid(input): input and target [..., classes], target 0 or 1.</summary>
            public static Tensor multilabel_soft_margin_loss(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean)
            {
                if (input.rank == 0) throw Error.Argument("multilabel_soft_margin_loss", "the input needs a dimension of classes");
                Tensor loss = -(target * input.log_sigmoid() + (1 - target) * (-input).log_sigmoid());
                if (weight is not null) loss *= weight;
                return Reduced("multilabel_soft_margin_loss", loss.mean(-1), reduction);
            }

            /// <summary>sum over classes i other than target y of max(0, margin - x[y] + x[i])^p weight[y] / classes; input [batch, classes], target [batch].</summary>
            /// <exception cref="ArgumentException">p is neither 1 nor 2, or shapes do not fit.</exception>
            /// <exception cref="IndexOutOfRangeException">A class number is out of range.</exception>
            public static Tensor multi_margin_loss(Tensor input, Tensor target, int p = 1, double margin = 1, Tensor? weight = null, Reduction reduction = Reduction.Mean)
            {
                const string name = "multi_margin_loss";
                if (p is not (1 or 2)) throw Error.Argument(name, $"p must be 1 or 2, not {p}");
                if (input.rank is 1 && target.numel() == 1)
                {
                    Tensor one = multi_margin_loss(input.unsqueeze(0), target.reshape(1), p, margin, weight, reduction);
                    return reduction == Reduction.None && target.rank == 0 ? one.squeeze(0) : one;
                }
                if (input.rank != 2 || target.rank != 1 || target.sizes[0] != input.sizes[0]) throw Error.Argument(name, $"input {Error.Shape(input.sizes)} does not fit target {Error.Shape(target.sizes)}");
                long classes = input.sizes[1];
                if (weight is not null && weight.numel() != classes) throw Error.Argument(name, $"weight {Error.Shape(weight.sizes)} does not fit {classes} classes");
                Targets.Check(name, target, classes, ignore: long.MinValue);
                Tensor index = target.unsqueeze(1), right = Along.Take(name, input, 1, index);
                Tensor shortfall = (margin - right + input).clamp_min(0);
                if (p == 2) shortfall = shortfall.square();
                if (weight is not null) shortfall *= Along.Take(name, weight.reshape(-1), 0, target).unsqueeze(1);
                Tensor other = arange(classes, dtype: ScalarType.Int64, device: input.device) != index;
                return Reduced(name, torch.where(other, shortfall, 0).sum(1) / classes, reduction);
            }

            /// <summary>sum over targets j and others i of max(0, 1 - x[j] + x[i]) / classes; targets [batch, classes] are class numbers ended by -1.</summary>
            /// <exception cref="ArgumentException">Shapes differ.</exception>
            /// <exception cref="IndexOutOfRangeException">A class number is out of range.</exception>
            public static Tensor multi_label_margin_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean)
            {
                const string name = "multi_label_margin_loss";
                if (input.rank is not (1 or 2) || !input.sizes.AsSpan().SequenceEqual(target.sizes)) throw Error.Argument(name, $"input {Error.Shape(input.sizes)} and target {Error.Shape(target.sizes)} must have one shape of 1 or 2 dimensions");
                if (input.rank == 1)
                {
                    Tensor one = multi_label_margin_loss(input.unsqueeze(0), target.unsqueeze(0), reduction);
                    return reduction == Reduction.None ? one.squeeze(0) : one;
                }
                Tensor given = (target < 0).cumsum(1) == 0, index = torch.where(given, target, 0);
                Targets.Check(name, index, input.sizes[1], ignore: long.MinValue);
                Tensor named = Along.Put(name, given.to(input.dtype), 1, index, input.sizes) > 0;
                Tensor right = Along.Take(name, input, 1, index).unsqueeze(2); // [batch, targets, 1]
                Tensor margins = (1 - right + input.unsqueeze(1)).clamp_min(0); // [batch, targets, classes]
                Tensor counted = given.unsqueeze(2).logical_and(named.logical_not().unsqueeze(1));
                long[] dims = [1, 2];
                return Reduced(name, torch.where(counted, margins, 0).sum(dims) / input.sizes[1], reduction);
            }
        }
    }
}
