namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            // In place of log 0: small enough to vanish, finite so that its gradient is 0 and not NaN.
            private const double Never = -1e30;

            /// <summary>
            /// -log of the probability of a label sequence, over all alignments with blanks and repeats (Graves et al., 2006).
            /// </summary>
            /// <param name="log_probs">[time, batch, classes], or without the batch.</param>
            /// <param name="targets">[batch, labels], or all labels one after the other.</param>
            /// <param name="input_lengths">Steps of each sample, [batch].</param>
            /// <param name="target_lengths">Labels of each sample, [batch].</param>
            /// <param name="zero_infinity">Impossible alignments count as 0 instead of infinity.</param>
            /// <exception cref="ArgumentException">Lengths do not fit the tensors.</exception>
            public static Tensor ctc_loss(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, long blank = 0, bool zero_infinity = false, Reduction reduction = Reduction.Mean)
            {
                if (log_probs.rank == 2)
                {
                    Tensor one = ctc_loss(log_probs.unsqueeze(1), targets.reshape(1, -1), input_lengths.reshape(1), target_lengths.reshape(1), blank, zero_infinity, reduction);
                    return reduction == Reduction.None ? one.squeeze(0) : one;
                }
                long[] steps = input_lengths.to(ScalarType.Int64).cpu().data<long>().ToArray(), labels = target_lengths.to(ScalarType.Int64).cpu().data<long>().ToArray();
                CheckCtc(log_probs, targets, steps, labels, blank);
                Tensor loss = CtcLosses(log_probs, CtcLabels(targets, labels, blank), steps, labels, blank);
                loss = where(loss > -Never / 10, zero_infinity ? 0.0 : double.PositiveInfinity, loss);
                if (reduction == Reduction.None) return loss;
                if (reduction == Reduction.Sum) return loss.sum();
                return (loss / target_lengths.to(loss.dtype, loss.device).clamp(min: 1)).mean();
            }

            private static void CheckCtc(Tensor logProbs, Tensor targets, long[] steps, long[] labels, long blank)
            {
                if (logProbs.rank != 3) throw Error.Argument("ctc_loss", $"log_probs must be [time, batch, classes], not {Error.Shape(logProbs.sizes)}");
                long time = logProbs.sizes[0], batch = logProbs.sizes[1], classes = logProbs.sizes[2];
                if (blank < 0 || blank >= classes) throw Error.Argument("ctc_loss", $"blank {blank} is not one of {classes} classes");
                if (steps.Length != batch || labels.Length != batch) throw Error.Argument("ctc_loss", $"{steps.Length} input lengths and {labels.Length} target lengths for a batch of {batch}");
                if (steps.Any(n => n < 0 || n > time)) throw Error.Argument("ctc_loss", $"the input lengths must be from 0 to {time}");
                bool fits = targets.rank == 1 ? labels.Sum() == targets.numel() : targets.rank == 2 && targets.sizes[0] == batch && labels.All(n => n <= targets.sizes[1]);
                if (!fits || labels.Any(n => n < 0)) throw Error.Argument("ctc_loss", $"the target lengths {Error.Shape(labels)} do not fit targets of shape {Error.Shape(targets.sizes)}");
            }

            // Labels with blanks between and around them: [batch, 2 longest + 1]; blanks beyond a sample's end.
            private static long[,] CtcLabels(Tensor targets, long[] labels, long blank)
            {
                long longest = labels.Length == 0 ? 0 : labels.Max(), width = targets.rank == 2 ? targets.sizes[1] : 0, start = 0;
                long[] flat = targets.to(ScalarType.Int64).cpu().contiguous().data<long>().ToArray();
                var with = new long[labels.Length, 2 * longest + 1];
                for (int n = 0; n < labels.Length; n++)
                {
                    for (int s = 0; s < with.GetLength(1); s++) with[n, s] = s % 2 == 1 && s / 2 < labels[n] ? flat[start + s / 2] : blank;
                    start += targets.rank == 2 ? width : labels[n];
                }
                return with;
            }

            // alpha_t(s) = p_t(label s) (alpha_(t-1)(s) + alpha_(t-1)(s-1) + alpha_(t-1)(s-2) unless s is blank or repeats), in logarithms
            private static Tensor CtcLosses(Tensor logProbs, long[,] labels, long[] steps, long[] counts, long blank)
            {
                long time = logProbs.sizes[0];
                int batch = labels.GetLength(0), width = labels.GetLength(1);
                Tensor names = from_array(labels, logProbs.device);
                Tensor p = logProbs.gather(2, names.unsqueeze(0).expand(time, batch, width)); // [time, batch, width]
                var skips = new bool[batch, width];
                var (active, ends) = (new bool[time, batch], new long[2, batch]);
                for (int n = 0; n < batch; n++)
                {
                    for (int s = 2; s < width; s++) skips[n, s] = labels[n, s] != blank && labels[n, s] != labels[n, s - 2];
                    for (long t = 0; t < time; t++) active[t, n] = t < steps[n];
                    (ends[0, n], ends[1, n]) = (2 * counts[n], Math.Max(2 * counts[n] - 1, 0));
                }
                Tensor maySkip = from_array(skips, logProbs.device), moving = from_array(active, logProbs.device).unsqueeze(-1);
                Tensor never = full([batch, width], Never, logProbs.dtype, logProbs.device);
                Tensor alpha = never.clone();
                alpha.narrow(1, 0, 1).zero_(); // before the first step: at the first blank, or just before the first label
                for (long t = 0; t < time; t++)
                {
                    Tensor sum = logaddexp(alpha, Moved(alpha, never, 1));
                    if (t > 0) sum = logaddexp(sum, where(maySkip, Moved(alpha, never, 2), never));
                    alpha = where(moving[t], (sum + p[t]).clamp(min: Never), alpha);
                }
                Tensor last = alpha.gather(1, from_array(ends, logProbs.device).transpose(0, 1)); // [batch, 2]
                Tensor single = from_array(counts.Select(c => c == 0).ToArray(), logProbs.device);
                return where(single, last.select(1, 0), logaddexp(last.select(1, 0), last.select(1, 1))).neg();
            }

            private static Tensor Moved(Tensor alpha, Tensor never, long by) =>
                alpha.sizes[1] <= by ? never : cat([never.narrow(1, 0, by), alpha.narrow(1, 0, alpha.sizes[1] - by)], 1);
        }
    }
}
