using Flambeau.Modules;

namespace Flambeau;

public static partial class torch
{
    public static partial class cuda
    {
        /// <summary>
        /// A function whose forward and backward work is captured into graphs and replayed. Its results lie in memory that the next call
        /// overwrites: use them, or clone them, before.
        /// </summary>
        /// <param name="callable">Must do the same work each time: no reading of values.</param>
        /// <param name="sample_args">Arguments of the shapes, dtypes and requires_grad that all calls will have.</param>
        /// <param name="parameters">Leaves that it uses besides its arguments and that are to get gradients.</param>
        /// <param name="num_warmup_iters">Runs before the capture, in which libraries choose their algorithms.</param>
        /// <param name="allow_unused_input">Some arguments or parameters may not influence the result.</param>
        /// <exception cref="InvalidOperationException">Something in it cannot be captured.</exception>
        public static Func<Tensor[], Tensor[]> make_graphed_callables(Func<Tensor[], Tensor[]> callable, Tensor[] sample_args, IEnumerable<Tensor>? parameters = null, int num_warmup_iters = 3, bool allow_unused_input = false)
        {
            ArgumentNullException.ThrowIfNull(callable);
            ArgumentNullException.ThrowIfNull(sample_args);
            return new GraphedCallable(callable, sample_args, [.. parameters ?? []], num_warmup_iters, allow_unused_input).Run;
        }

        /// <summary>A module that replays the captured forward and backward of another, with the same parameters, while the mode (training or not) is that of the capture.</summary>
        /// <exception cref="InvalidOperationException">Something in it cannot be captured.</exception>
        public static nn.Module<Tensor, Tensor> make_graphed_callables(nn.Module<Tensor, Tensor> module, Tensor sample_arg, int num_warmup_iters = 3, bool allow_unused_input = false)
        {
            ArgumentNullException.ThrowIfNull(module);
            ArgumentNullException.ThrowIfNull(sample_arg);
            return new GraphedModule(module, sample_arg, num_warmup_iters, allow_unused_input);
        }

        private sealed class GraphedModule : nn.Module<Tensor, Tensor>
        {
            private readonly nn.Module<Tensor, Tensor> module;
            private readonly GraphedCallable graphed;
            private readonly bool mode;

            internal GraphedModule(nn.Module<Tensor, Tensor> module, Tensor sample, int warmup, bool unused) : base("GraphedModule")
            {
                this.module = module;
                register_module(nameof(module), module);
                mode = module.training;
                graphed = new GraphedCallable(x => [module.call(x[0])], [sample], [.. module.parameters()], warmup, unused);
                train(mode);
            }

            public override Tensor forward(Tensor input) => training == mode ? graphed.Run([input])[0] : module.call(input);
        }

        private sealed class GraphedCallable
        {
            private readonly CUDAGraph forward = new(), backward = new();
            private readonly Tensor[] inputs, parameters, outputs, leaves, outputGradients;
            private readonly Tensor?[] leafGradients;
            private readonly int[] leafNumbers; // of each argument and parameter among the leaves, or -1

            internal GraphedCallable(Func<Tensor[], Tensor[]> callable, Tensor[] samples, Tensor[] parameters, int warmup, bool unused)
            {
                Require("make_graphed_callables", samples);
                inputs = Array.ConvertAll(samples, s => s.detach().clone().requires_grad_(s.requires_grad));
                this.parameters = parameters;
                Tensor[] all = [.. inputs, .. parameters];
                leaves = [.. all.Where(t => t.requires_grad)];
                leafNumbers = Array.ConvertAll(all, t => Array.FindIndex(leaves, l => ReferenceEquals(l, t)));
                var side = new Stream(samples[0].device);
                side.wait_stream(current_stream(samples[0].device));
                using (stream(side))
                    for (int i = 0; i < warmup; i++) WarmUp(callable, unused);
                current_stream(samples[0].device).wait_stream(side);
                using (graph(forward, side)) outputs = callable(inputs);
                Tensor[] roots = Roots(outputs);
                outputGradients = Array.ConvertAll(roots, y => empty_like(y.detach()));
                leafGradients = new Tensor?[leaves.Length];
                if (roots.Length == 0 || leaves.Length == 0) return;
                using (graph(backward, side)) leafGradients = [.. autograd.grad(roots, leaves, outputGradients, retain_graph: false, allow_unused: unused)];
            }

            private static void Require(string op, Tensor[] samples)
            {
                if (samples.Length == 0 || samples.Any(s => s.device_type != DeviceType.CUDA || s.device != samples[0].device))
                    throw Error.Argument(op, $"the sample arguments must be tensors on one CUDA device, not on {(samples.Length == 0 ? "none" : string.Join(", ", samples.Select(s => s.device).Distinct()))}");
            }

            private static Tensor[] Roots(Tensor[] ys) => [.. ys.Where(y => y.requires_grad)];

            private void WarmUp(Func<Tensor[], Tensor[]> callable, bool unused)
            {
                Tensor[] roots = Roots(callable(inputs));
                if (roots.Length > 0 && leaves.Length > 0) autograd.grad(roots, leaves, Array.ConvertAll(roots, y => ones_like(y.detach())), allow_unused: unused);
            }

            internal Tensor[] Run(Tensor[] args)
            {
                if (args.Length != inputs.Length) throw Error.Argument("graphed callable", $"it was captured with {inputs.Length} arguments, not {args.Length}");
                for (int i = 0; i < args.Length; i++) Fill(i, args[i]);
                forward.replay();
                Tensor[] ys = Array.ConvertAll(outputs, y => y.detach());
                if (!is_grad_enabled()) return ys;
                bool[] records = Array.ConvertAll(outputs, y => y.requires_grad);
                Tensor[] recorded = [.. ys.Where((_, i) => records[i])];
                Tensor[] from = [.. args, .. parameters];
                // dx = what the captured backward leaves
                Graph.RecordMany("graphed", recorded, from, [], (n, dy) => Backward(dy));
                return ys;
            }

            private void Fill(int i, Tensor x)
            {
                Tensor place = inputs[i];
                if (!x.sizes.AsSpan().SequenceEqual(place.sizes) || x.dtype != place.dtype)
                    throw Error.Argument("graphed callable", $"argument {i} was captured as {Error.Shape(place.sizes)} of {place.dtype.name()}, not {Error.Shape(x.sizes)} of {x.dtype.name()}");
                using (no_grad()) place.detach().copy_(x.detach());
            }

            private Tensor?[] Backward(Tensor[] dy)
            {
                using IDisposable _ = no_grad();
                for (int i = 0; i < dy.Length; i++) outputGradients[i].copy_(dy[i]);
                backward.replay();
                return Array.ConvertAll(leafNumbers, k => k < 0 ? null : leafGradients[k]?.detach());
            }
        }
    }
}
