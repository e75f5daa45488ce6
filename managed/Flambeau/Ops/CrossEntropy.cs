using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>
            /// The cross entropy of softmax(input) and the target: input [batch, classes, ...] (or [classes]), target int64 class numbers of
            /// shape [batch, ...], or probabilities of input's shape. label_smoothing mixes in the uniform distribution.
            /// </summary>
            /// <exception cref="ArgumentException">Shapes or dtypes do not fit.</exception>
            /// <exception cref="IndexOutOfRangeException">A class number is out of range.</exception>
            public static Tensor cross_entropy(Tensor input, Tensor target, Tensor? weight = null, long ignore_index = -100, Reduction reduction = Reduction.Mean, double label_smoothing = 0)
            {
                if (input.rank == 0) throw Error.Argument("cross_entropy", "the input needs a dimension of classes");
                if (!(label_smoothing >= 0 && label_smoothing <= 1)) throw Error.Argument("cross_entropy", $"label_smoothing must be from 0 to 1, and is {label_smoothing}");
                using Temporaries made = Temporaries.Open();
                if (input.rank <= 2 && weight is null && label_smoothing == 0 && !target.is_floating_point()) return made.Keep(OfClasses(input, target, ignore_index, reduction));
                Tensor logs = input.log_softmax(input.rank == 1 ? 0 : 1);
                if (target.is_floating_point()) return made.Keep(WithProbabilities(logs, target, weight, reduction, label_smoothing));
                Tensor loss = Likelihood("cross_entropy", logs, target, weight, ignore_index, reduction);
                if (label_smoothing == 0) return made.Keep(loss);
                Tensor smooth = Smoothed(logs, target, weight, ignore_index, reduction);
                return made.Keep(loss * (1 - label_smoothing) + smooth * (label_smoothing / input.sizes[input.rank == 1 ? 0 : 1]));
            }

            /// <summary>
            /// The negative log likelihood: input [batch, classes, ...] (or [classes]) of log probabilities, target int64 [batch, ...]. Mean divides by
            /// the sum of the weights of the targets; targets equal to ignore_index do not count.
            /// </summary>
            /// <exception cref="ArgumentException">Shapes or dtypes do not fit.</exception>
            /// <exception cref="IndexOutOfRangeException">A class number is out of range.</exception>
            public static Tensor nll_loss(Tensor input, Tensor target, Tensor? weight = null, long ignore_index = -100, Reduction reduction = Reduction.Mean) =>
                Likelihood("nll_loss", input, target, weight, ignore_index, reduction);

            public static Tensor nll_loss(Tensor input, Tensor target, Tensor? weight, Reduction reduction) => nll_loss(input, target, weight, -100, reduction);

            private static Tensor Likelihood(string op, Tensor logs, Tensor target, Tensor? weight, long ignore, Reduction reduction)
            {
                if (logs.rank == 1 && target.rank == 0) return reduction == Reduction.None
                    ? Likelihood(op, logs.unsqueeze(0), target.unsqueeze(0), weight, ignore, reduction).squeeze(0)
                    : Likelihood(op, logs.unsqueeze(0), target.unsqueeze(0), weight, ignore, reduction);
                long classes = CheckClasses(op, logs, target, weight);
                long valid = Targets.Check(op, target, classes, ignore);
                bool all = valid == target.numel();
                Tensor safe = all ? target : torch.where(target == ignore, 0, target);
                Tensor picked = -Along.Take(op, logs, 1, safe.unsqueeze(1)).squeeze(1);
                if (weight is null && all && reduction != Reduction.None) return reduction == Reduction.Sum ? picked.sum() : picked.mean();
                Tensor counts = Weights(logs, target, safe, weight, ignore, all);
                Tensor loss = torch.where(counts == 0, 0, picked * counts);
                return reduction switch
                {
                    Reduction.None => loss,
                    Reduction.Sum => loss.sum(),
                    _ => loss.sum() / counts.sum(),
                };
            }

            // cross_entropy of [batch, classes] (or [classes]) with class numbers and nothing else, in one kernel: the log probabilities are not kept.
            private static Tensor OfClasses(Tensor x, Tensor target, long ignore, Reduction reduction)
            {
                const string name = "cross_entropy";
                x.FloatOnly(name);
                if (x.rank == 1 && target.rank == 0)
                {
                    Tensor one = OfClasses(x.unsqueeze(0), target.unsqueeze(0), ignore, reduction);
                    return reduction == Reduction.None ? one.squeeze(0) : one;
                }
                long classes = CheckClasses(name, x, target, null), valid = Targets.Check(name, target, classes, ignore);
                Tensor loss = RowLosses(x, target, ignore);
                Tensor result = reduction switch
                {
                    Reduction.None => loss,
                    Reduction.Sum => loss.sum(),
                    _ when valid == target.numel() => loss.mean(),
                    _ when valid >= 0 => loss.sum() / valid,
                    _ => loss.sum() / (target != ignore).sum(),
                };
                return result.to(x.dtype);
            }

            // lse - x[target] of each row, 0 where target is ignore; float32 for half types.
            private static unsafe Tensor RowLosses(Tensor x, Tensor target, long ignore)
            {
                const string name = "cross_entropy";
                Elementwise.SameDevice(name, x, target);
                ScalarType wide = x.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? ScalarType.Float32 : x.dtype;
                Tensor cx = x.contiguous(), loss = new([x.sizes[0]], wide, x.device), lse = new([x.sizes[0]], wide, x.device);
                using (Borrow bx = cx.Borrow(name, out flam_tensor vx), bt = target.Borrow(name, out flam_tensor vt), bl = loss.Borrow(name, out flam_tensor vl), be = lse.Borrow(name, out flam_tensor ve))
                    Error.Check(Native.flam_cross_entropy(&vx, &vt, &vl, &ve, ignore), name);
                // dx = (exp(x - lse) - onehot(target)) dy, 0 where target is ignore
                return Graph.Record(name, loss, [x], [cx, target, lse], (n, dy) => [Engine.Recording ? RowLossesByFormula(n, dy, ignore) : RowLossesBackward(n, dy, ignore)]);
            }

            private static unsafe Tensor RowLossesBackward(Node n, Tensor dy, long ignore)
            {
                const string name = "cross_entropy";
                Tensor x = n[0], target = n[1], lse = n[2], dx = new(x.sizes, x.dtype, x.device);
                using (Borrow bg = dy.Borrow(name, out flam_tensor vg), bx = x.Borrow(name, out flam_tensor vx), bt = target.Borrow(name, out flam_tensor vt), be = lse.Borrow(name, out flam_tensor ve), bdx = dx.Borrow(name, out flam_tensor vdx))
                    Error.Check(Native.flam_cross_entropy_backward(&vg, &vx, &vt, &ve, &vdx, ignore), name);
                return dx;
            }

            // The same of differentiable ops: dx = (softmax(x) - onehot(target)) dy
            private static Tensor RowLossesByFormula(Node n, Tensor dy, long ignore)
            {
                Tensor x = n[0], target = n[1], ignored = target == ignore;
                Tensor safe = torch.where(ignored, 0, target).unsqueeze(1), g = torch.where(ignored, 0, dy).unsqueeze(1);
                Tensor onehot = Along.Put("cross_entropy", torch.ones(safe.sizes, dy.dtype, x.device), 1, safe, x.sizes);
                return (x.to(dy.dtype).softmax(1) - onehot) * g;
            }

            // How much each target counts: the weight of its class, 0 if it is ignored.
            private static Tensor Weights(Tensor logs, Tensor target, Tensor safe, Tensor? weight, long ignore, bool all)
            {
                Tensor counts = weight is null
                    ? torch.ones(target.sizes, logs.dtype, logs.device)
                    : Along.Take("nll_loss", weight.detach().to(logs.dtype), 0, safe.reshape(-1)).reshape(target.sizes);
                return all ? counts : torch.where(target == ignore, 0, counts);
            }

            private static Tensor Smoothed(Tensor logs, Tensor target, Tensor? weight, long ignore, Reduction reduction)
            {
                int d = logs.rank == 1 ? 0 : 1;
                Tensor loss = -(weight is null ? logs : logs * PerClass(weight, logs.rank)).sum(d);
                Tensor ignored = target == ignore;
                loss = torch.where(ignored, 0, loss);
                if (reduction == Reduction.None) return loss;
                if (reduction == Reduction.Sum) return loss.sum();
                if (weight is null) return loss.sum() / ignored.logical_not().sum();
                Tensor counts = Weights(logs, target, torch.where(ignored, 0, target), weight, ignore, all: false);
                return loss.sum() / counts.sum();
            }

            private static Tensor WithProbabilities(Tensor logs, Tensor target, Tensor? weight, Reduction reduction, double smoothing)
            {
                if (!logs.sizes.AsSpan().SequenceEqual(target.sizes))
                    throw Error.Argument("cross_entropy", $"probabilities of shape {Error.Shape(target.sizes)} do not fit an input of shape {Error.Shape(logs.sizes)}");
                int d = logs.rank == 1 ? 0 : 1;
                long classes = logs.sizes[d];
                if (weight is not null && (weight.rank != 1 || weight.sizes[0] != classes)) throw Error.Argument("cross_entropy", $"weight {Error.Shape(weight.sizes)} does not fit {classes} classes");
                if (smoothing > 0) target = target * (1 - smoothing) + smoothing / classes;
                Tensor terms = weight is null ? logs * target : logs * target * PerClass(weight, logs.rank);
                return reduction switch
                {
                    Reduction.None => -terms.sum(d),
                    Reduction.Sum => -terms.sum(),
                    _ => -terms.sum() / Math.Max(logs.numel() / Math.Max(classes, 1), d == 0 ? 1 : 0),
                };
            }

            private static Tensor PerClass(Tensor weight, int rank)
            {
                var shape = new long[rank];
                Array.Fill(shape, 1);
                shape[rank == 1 ? 0 : 1] = weight.numel();
                return weight.reshape(shape);
            }

            private static long CheckClasses(string op, Tensor logs, Tensor target, Tensor? weight)
            {
                if (logs.rank < 2 || target.rank != logs.rank - 1 || logs.sizes[0] != target.sizes[0] || !logs.sizes.AsSpan(2).SequenceEqual(target.sizes.AsSpan(1)))
                    throw Error.Argument(op, $"input {Error.Shape(logs.sizes)} does not fit target {Error.Shape(target.sizes)}: expected [batch, classes, ...] and [batch, ...]");
                long classes = logs.sizes[1];
                if (weight is not null && (weight.rank != 1 || weight.sizes[0] != classes)) throw Error.Argument(op, $"weight {Error.Shape(weight.sizes)} does not fit {classes} classes");
                return classes;
            }
        }
    }
}
