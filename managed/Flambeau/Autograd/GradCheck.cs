namespace Flambeau;

public static partial class torch
{
    public static partial class autograd
    {
        /// <summary>
        /// Compares the gradients of a function with central differences, for random gradients of its outputs.
        /// Inputs should be float64; only those that require a gradient are checked.
        /// </summary>
        /// <exception cref="InvalidOperationException">They differ, and raise_exception is true. Says where and by how much.</exception>
        public static bool gradcheck(Func<Tensor[], Tensor[]> func, Tensor[] inputs, double eps = 1e-6, double atol = 1e-5, double rtol = 1e-3, bool raise_exception = true, ulong seed = 1)
        {
            ArgumentNullException.ThrowIfNull(func);
            ArgumentNullException.ThrowIfNull(inputs);
            Tensor[] ys = Differentiable(func(inputs));
            if (ys.Length == 0) return Failed(raise_exception, "no output requires a gradient");
            var noise = new Noise(seed);
            Tensor[] dys = [.. ys.Select(y => noise.Like(y))];
            Tensor[] checkedInputs = [.. inputs.Where(x => x.requires_grad)];
            IList<Tensor?> analytic = grad(ys, checkedInputs, dys, retain_graph: true, allow_unused: true);
            for (int i = 0; i < checkedInputs.Length; i++)
            {
                double[] numeric = Numeric(func, inputs, checkedInputs[i], dys, eps);
                double[] exact = analytic[i] is { } g ? Doubles(g) : new double[numeric.Length];
                for (int j = 0; j < numeric.Length; j++)
                {
                    double difference = Math.Abs(exact[j] - numeric[j]);
                    if (difference <= atol + rtol * Math.Abs(numeric[j])) continue;
                    return Failed(raise_exception,
                        $"the gradient of input {i}, shape {Error.Shape(checkedInputs[i].sizes)}, is {exact[j]:g9} at element {j}; central differences give {numeric[j]:g9}");
                }
            }
            return true;
        }

        public static bool gradcheck(Func<Tensor[], Tensor> func, Tensor[] inputs, double eps = 1e-6, double atol = 1e-5, double rtol = 1e-3, bool raise_exception = true) =>
            gradcheck(x => [func(x)], inputs, eps, atol, rtol, raise_exception);

        /// <summary>gradcheck of the gradient itself: checks second derivatives.</summary>
        public static bool gradgradcheck(Func<Tensor[], Tensor[]> func, Tensor[] inputs, double eps = 1e-6, double atol = 1e-5, double rtol = 1e-3, bool raise_exception = true, ulong seed = 2)
        {
            ArgumentNullException.ThrowIfNull(func);
            ArgumentNullException.ThrowIfNull(inputs);
            var noise = new Noise(seed);
            Tensor[] dys = [.. Differentiable(func(inputs)).Select(y => noise.Like(y).requires_grad_())];
            Tensor[] checkedInputs = [.. inputs.Where(x => x.requires_grad)];
            Tensor[] Gradient(Tensor[] all)
            {
                Tensor[] ys = Differentiable(func(all[..inputs.Length]));
                IList<Tensor?> dx = grad(ys, checkedInputs, all[inputs.Length..], retain_graph: true, create_graph: true, allow_unused: true);
                return [.. dx.Where(g => g is not null)!];
            }
            Tensor[] everything = [.. inputs, .. dys];
            if (Differentiable(Gradient(everything)).Length == 0) return true;
            return gradcheck(Gradient, everything, eps, atol, rtol, raise_exception, seed + 1);
        }

        private static Tensor[] Differentiable(Tensor[] ys) => [.. ys.Where(y => y.is_floating_point() && y.requires_grad)];

        private static double[] Numeric(Func<Tensor[], Tensor[]> func, Tensor[] inputs, Tensor x, Tensor[] dys, double eps)
        {
            var result = new double[x.numel()];
            double[] values = Doubles(x);
            for (int j = 0; j < result.Length; j++)
            {
                double At(double delta)
                {
                    double[] moved = [.. values];
                    moved[j] += delta;
                    Overwrite(x, moved);
                    Tensor[] ys = Differentiable(func(inputs));
                    double total = 0;
                    for (int k = 0; k < ys.Length; k++) total += Doubles(ys[k]).Zip(Doubles(dys[k]), (a, b) => a * b).Sum();
                    return total;
                }
                result[j] = (At(eps) - At(-eps)) / (2 * eps);
            }
            Overwrite(x, values);
            return result;
        }

        private static unsafe double[] Doubles(Tensor x)
        {
            Tensor y;
            using (no_grad()) y = x.detach().to(ScalarType.Float64, CPU).contiguous();
            using Borrow b = y.Borrow("gradcheck", out Interop.flam_tensor v);
            return new ReadOnlySpan<double>(v.data, (int)y.numel()).ToArray();
        }

        // Not counted as a change in place: the graph of the analytic pass stays valid, and the values are put back.
        private static void Overwrite(Tensor x, double[] values) =>
            Elementwise.Copy("gradcheck", FromSpan<double>("gradcheck", values, x.sizes, null, x.device, false), x);

        private static bool Failed(bool raise, string text) => raise ? throw Error.State("gradcheck", text) : false;

        /// <summary>Repeatable values in [-1, 1), apart from the library's generators.</summary>
        private sealed class Noise(ulong seed)
        {
            private readonly Random random = new((int)seed);

            internal Tensor Like(Tensor y)
            {
                var values = new double[y.numel()];
                for (int i = 0; i < values.Length; i++) values[i] = 2 * random.NextDouble() - 1;
                return FromSpan<double>("gradcheck", values, y.sizes, y.dtype, y.device, false);
            }
        }
    }
}
