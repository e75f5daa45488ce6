namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>The elements of a loss, their mean or their sum.</summary>
            private static Tensor Reduced(string op, Tensor loss, Reduction reduction) => reduction switch
            {
                Reduction.None => loss,
                Reduction.Mean => loss.mean(),
                Reduction.Sum => loss.sum(),
                _ => throw Error.Argument(op, $"unknown reduction {reduction}"),
            };

            /// <summary>(input - target)^2; shapes broadcast.</summary>
            public static Tensor mse_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) => Reduced("mse_loss", (input - target).square(), reduction);

            /// <summary>|input - target|; shapes broadcast.</summary>
            public static Tensor l1_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) => Reduced("l1_loss", (input - target).abs(), reduction);

            /// <summary>d^2 / (2 beta) where d = |input - target| is below beta, d - beta / 2 elsewhere.</summary>
            /// <exception cref="ArgumentException">beta is negative.</exception>
            public static Tensor smooth_l1_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean, double beta = 1)
            {
                if (!(beta >= 0)) throw Error.Argument("smooth_l1_loss", $"beta must not be negative, and is {beta}");
                if (beta == 0) return l1_loss(input, target, reduction);
                Tensor d = (input - target).abs();
                return Reduced("smooth_l1_loss", torch.where(d < beta, d.square() * (0.5 / beta), d - 0.5 * beta), reduction);
            }

            /// <summary>d^2 / 2 where d = |input - target| is at most delta, delta (d - delta / 2) elsewhere (Huber 1964).</summary>
            /// <exception cref="ArgumentException">delta is not positive.</exception>
            public static Tensor huber_loss(Tensor input, Tensor target, double delta = 1, Reduction reduction = Reduction.Mean)
            {
                if (!(delta > 0)) throw Error.Argument("huber_loss", $"delta must be positive, and is {delta}");
                Tensor d = (input - target).abs();
                return Reduced("huber_loss", torch.where(d <= delta, d.square() * 0.5, (d - 0.5 * delta) * delta), reduction);
            }

            /// <summary>target (log(target) - input), or exp(target) (target - input) if the target is in logarithms; the input always is.</summary>
            public static Tensor kl_div(Tensor input, Tensor target, bool log_target = true, Reduction reduction = Reduction.Mean) =>
                Reduced("kl_div", log_target ? target.exp() * (target - input) : target.xlogy(target) - target * input, reduction);

            /// <summary>exp(input) - target input if the input is a logarithm, else input - target log(input + eps); full adds Stirling's term.</summary>
            public static Tensor poisson_nll_loss(Tensor input, Tensor target, bool log_input = true, bool full = false, float eps = 1e-8f, Reduction reduction = Reduction.Mean)
            {
                Tensor loss = log_input ? input.exp() - target * input : input - target * (input + eps).log();
                if (full)
                {
                    Tensor large = target > 1, safe = torch.where(large, target, 2);
                    loss += torch.where(large, safe * safe.log() - safe + (safe * (2 * Math.PI)).log() * 0.5, 0);
                }
                return Reduced("poisson_nll_loss", loss, reduction);
            }

            /// <summary>(log(var) + (input - target)^2 / var) / 2, var at least eps (no gradient through that limit); full adds log(2 pi) / 2.</summary>
            /// <exception cref="ArgumentException">A variance is negative, or its shape does not fit.</exception>
            public static Tensor gaussian_nll_loss(Tensor input, Tensor target, Tensor variance, bool full = false, float eps = 1e-6f, Reduction reduction = Reduction.Mean)
            {
                if (!variance.sizes.AsSpan().SequenceEqual(input.sizes))
                {
                    bool perSample = input.rank > 0 && variance.sizes.AsSpan().SequenceEqual(input.sizes.AsSpan(0, input.rank - 1));
                    if (perSample) variance = variance.unsqueeze(-1);
                    else if (variance.rank != input.rank || variance.sizes[^1] != 1 || !variance.sizes.AsSpan(0, variance.rank - 1).SequenceEqual(input.sizes.AsSpan(0, input.rank - 1)))
                        throw Error.Argument("gaussian_nll_loss", $"variance {Error.Shape(variance.sizes)} does not fit input {Error.Shape(input.sizes)}");
                }
                if ((variance < 0).any().item<bool>()) throw Error.Argument("gaussian_nll_loss", "a variance is negative");
                // the limit is a constant to add, so that the gradient passes as if there were none
                Tensor raise;
                using (no_grad()) raise = variance.clamp_min(eps) - variance;
                Tensor safe = variance + raise;
                Tensor loss = (safe.log() + (input - target).square() / safe) * 0.5;
                return Reduced("gaussian_nll_loss", full ? loss + 0.5 * Math.Log(2 * Math.PI) : loss, reduction);
            }

            /// <summary>log(1 + exp(-target input)), targets -1 and 1.</summary>
            public static Tensor soft_margin_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
                Reduced("soft_margin_loss", -(target * input).log_sigmoid(), reduction);

            /// <summary>input where target is 1, max(0, margin - input) where it is -1.</summary>
            public static Tensor hinge_embedding_loss(Tensor input, Tensor target, double margin = 0, Reduction reduction = Reduction.Mean)
            {
                Tensor far = torch.where(target != 1, (margin - input).clamp_min(0), 0), near = torch.where(target != -1, input, 0);
                return Reduced("hinge_embedding_loss", far + near, reduction);
            }

            /// <summary>max(0, margin - target (input1 - input2)).</summary>
            public static Tensor margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, double margin = 0, Reduction reduction = Reduction.Mean) =>
                Reduced("margin_ranking_loss", (margin - target * (input1 - input2)).clamp_min(0), reduction);

            /// <summary>1 - cosine where target is 1, max(0, cosine - margin) where it is -1; inputs [batch, n] or [n].</summary>
            /// <exception cref="ArgumentException">Ranks do not fit.</exception>
            public static Tensor cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, double margin = 0, Reduction reduction = Reduction.Mean)
            {
                if (input1.rank != target.rank + 1 || input2.rank != input1.rank)
                    throw Error.Argument("cosine_embedding_loss", $"inputs {Error.Shape(input1.sizes)} and {Error.Shape(input2.sizes)} do not fit target {Error.Shape(target.sizes)}");
                const double small = 1e-12;
                int d = target.rank;
                Tensor cosine = (input1 * input2).sum(d) / ((input1.square().sum(d) + small) * (input2.square().sum(d) + small)).sqrt();
                Tensor loss = torch.where(target == 1, 1 - cosine, 0) + torch.where(target == -1, (cosine - margin).clamp_min(0), 0);
                return Reduced("cosine_embedding_loss", loss, reduction);
            }

            /// <summary>max(0, margin + |anchor - positive| - |anchor - negative|) by p-norms; swap uses |positive - negative| if that is less.</summary>
            public static Tensor triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, double margin = 1, long p = 2, double eps = 1e-6, bool swap = false, Reduction reduction = Reduction.Mean) =>
                triplet_margin_with_distance_loss(anchor, positive, negative, (a, b) => pairwise_distance(a, b, p, eps), margin, swap, reduction);

            /// <summary>The same with any distance; pairwise_distance if none is given.</summary>
            public static Tensor triplet_margin_with_distance_loss(Tensor anchor, Tensor positive, Tensor negative, Func<Tensor, Tensor, Tensor>? distance = null, double margin = 1, bool swap = false, Reduction reduction = Reduction.Mean)
            {
                distance ??= (a, b) => pairwise_distance(a, b);
                Tensor near = distance(anchor, positive), far = distance(anchor, negative);
                if (swap) far = far.minimum(distance(positive, negative));
                return Reduced("triplet_margin_loss", (margin + near - far).clamp_min(0), reduction);
            }
        }
    }
}
