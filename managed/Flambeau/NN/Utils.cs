using Flambeau.Modules;

namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>Gradients and parameters as a whole.</summary>
        public static partial class utils
        {
            /// <summary>Scales the gradients so that their norm, over all of them together, is at most max_norm. Returns the norm of before.</summary>
            /// <exception cref="InvalidOperationException">error_if_nonfinite, and the norm is infinite or NaN.</exception>
            public static double clip_grad_norm_(IEnumerable<Tensor> tensors, double max_norm, double norm_type = 2, bool error_if_nonfinite = false)
            {
                using IDisposable mode = no_grad();
                List<Tensor> gradients = Gradients(tensors);
                if (gradients.Count == 0) return 0;
                Tensor norms = stack([.. gradients.Select(g => linalg.vector_norm(g.detach(), norm_type).to(gradients[0].device))]);
                double total = linalg.vector_norm(norms, norm_type).to(ScalarType.Float64).item<double>();
                if (error_if_nonfinite && !double.IsFinite(total)) throw Error.State("clip_grad_norm_", $"the norm of the gradients is {total}");
                // In float32, as PyTorch does; min keeps NaN.
                float scale = MathF.Min((float)max_norm / ((float)total + 1e-6f), 1);
                foreach (Tensor g in gradients) g.mul_(scale);
                return total;
            }

            /// <summary>Cuts each element of the gradients to [-clip_value, clip_value].</summary>
            public static void clip_grad_value_(IEnumerable<Tensor> tensors, double clip_value)
            {
                using IDisposable mode = no_grad();
                foreach (Tensor g in Gradients(tensors)) g.clamp_(-clip_value, clip_value);
            }

            private static List<Tensor> Gradients(IEnumerable<Tensor> tensors)
            {
                ArgumentNullException.ThrowIfNull(tensors);
                return [.. tensors.Select(t => t.grad).OfType<Tensor>()];
            }

            /// <summary>All elements in one vector, in the graph.</summary>
            public static Tensor parameters_to_vector(IEnumerable<Tensor> tensors) => cat([.. tensors.Select(t => t.reshape(-1))]);

            /// <summary>Copies consecutive parts of a vector into the tensors.</summary>
            /// <exception cref="ArgumentException">The numbers of elements differ.</exception>
            public static void vector_to_parameters(Tensor vec, IEnumerable<Tensor> tensors)
            {
                List<Tensor> targets = [.. tensors];
                long wanted = targets.Sum(t => t.numel()), at = 0;
                if (vec.rank != 1 || vec.numel() != wanted) throw Error.Argument("vector_to_parameters", $"a vector of {wanted} elements is needed, not shape {Error.Shape(vec.sizes)}");
                using IDisposable mode = no_grad();
                foreach (Tensor t in targets)
                {
                    t.copy_(vec.narrow(0, at, t.numel()).reshape(t.sizes));
                    at += t.numel();
                }
            }

            /// <summary>Weights of a convolution that does batch normalisation after it, by running statistics, too.</summary>
            public static (Parameter weight, Parameter bias) fuse_conv_bn_weights(Tensor conv_w, Tensor? conv_b, Tensor bn_rm, Tensor bn_rv, double bn_eps, Tensor? bn_w, Tensor? bn_b, bool transpose = false)
            {
                using IDisposable mode = no_grad();
                Tensor scale = (bn_rv + bn_eps).rsqrt();
                if (bn_w is not null) scale = scale * bn_w;
                long[] along = new long[conv_w.rank];
                Array.Fill(along, 1);
                along[transpose ? 1 : 0] = -1;
                Tensor bias = ((conv_b is null ? zeros_like(bn_rm) : conv_b) - bn_rm) * scale;
                return (new Parameter(conv_w * scale.reshape(along), conv_w.requires_grad), new Parameter(bn_b is null ? bias : bias + bn_b, conv_b?.requires_grad ?? false));
            }

            /// <summary>Weights of a linear layer that does batch normalisation after it, by running statistics, too.</summary>
            public static (Parameter weight, Parameter bias) fuse_linear_bn_weights(Tensor linear_w, Tensor? linear_b, Tensor bn_rm, Tensor bn_rv, double bn_eps, Tensor? bn_w, Tensor? bn_b) =>
                fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b);

            /// <summary>One linear layer that does what a linear layer and batch normalisation after it do in evaluation.</summary>
            /// <exception cref="ArgumentException">A module is in training mode, or the normalisation has no running statistics.</exception>
            public static Linear fuse_linear_bn_eval(Linear linear, BatchNorm bn)
            {
                if (linear.training || bn.training) throw Error.Argument("fuse_linear_bn_eval", "both modules must be in evaluation mode");
                if (bn.running_mean is null || bn.running_var is null) throw Error.Argument("fuse_linear_bn_eval", "the normalisation keeps no running statistics");
                (Parameter weight, Parameter bias) = fuse_linear_bn_weights(linear.weight, linear.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias);
                var fused = new Linear(weight, bias);
                fused.eval();
                return fused;
            }
        }
    }
}
