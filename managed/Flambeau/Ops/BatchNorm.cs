using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>
            /// (x - mean) / sqrt(var + eps) * weight + bias by channel of [batch, channels, ...]. In training by the statistics of the batch, which also
            /// move running_mean and running_var by momentum (with the unbiased variance); else by the running ones (Ioffe and Szegedy 2015).
            /// </summary>
            /// <exception cref="ArgumentException">Shapes do not fit; training with one value per channel; running statistics missing.</exception>
            public static Tensor batch_norm(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight = null, Tensor? bias = null, bool training = false, double momentum = 0.1, double eps = 1e-5)
            {
                const string name = "batch_norm";
                if (input.rank < 2) throw Error.Argument(name, $"expected [batch, channels, ...], not {Error.Shape(input.sizes)}");
                input.FloatOnly(name);
                long channels = input.sizes[1];
                foreach (Tensor? t in (ReadOnlySpan<Tensor?>)[running_mean, running_var, weight, bias])
                    if (t is not null && t.numel() != channels) throw Error.Argument(name, $"running statistics, weight and bias must have {channels} elements, not {t.numel()}");
                Elementwise.SameDevice(name, input, running_mean, running_var, weight, bias);
                if (!training && (running_mean is null || running_var is null)) throw Error.Argument(name, "running_mean and running_var are needed outside training");
                if (training && input.numel() > 0 && input.numel() == channels) throw Error.Argument(name, $"expected more than one value per channel when training, got shape {Error.Shape(input.sizes)}");
                return ChannelNorm(input, weight, bias, running_mean, running_var, training, momentum, eps);
            }

            /// <summary>batch_norm of every sample by itself (Ulyanov et al. 2016).</summary>
            /// <exception cref="ArgumentException">Shapes do not fit, or one value per channel.</exception>
            public static Tensor instance_norm(Tensor input, Tensor? running_mean = null, Tensor? running_var = null, Tensor? weight = null, Tensor? bias = null, bool use_input_stats = true, double momentum = 0.1, double eps = 1e-5)
            {
                if (input.rank < 3) throw Error.Argument("instance_norm", $"expected [batch, channels, ...], not {Error.Shape(input.sizes)}");
                long batch = input.sizes[0], channels = input.sizes[1];
                if (use_input_stats && input.numel() > 0 && input.numel() == batch * channels) throw Error.Argument("instance_norm", $"expected more than one value per channel, got shape {Error.Shape(input.sizes)}");
                using Temporaries made = Temporaries.Open();
                Tensor? Repeated(Tensor? t) => t?.expand(batch, channels).reshape(batch * channels);
                Tensor? mean = Repeated(running_mean)?.detach().clone(), variance = Repeated(running_var)?.detach().clone();
                Tensor y = batch_norm(input.reshape([1, batch * channels, .. input.sizes[2..]]), mean, variance, Repeated(weight), Repeated(bias), use_input_stats, momentum, eps);
                if (use_input_stats)
                {
                    using IDisposable _ = no_grad();
                    if (mean is not null) running_mean!.copy_(mean.reshape(batch, channels).mean(0));
                    if (variance is not null) running_var!.copy_(variance.reshape(batch, channels).mean(0));
                }
                return made.Keep(y.reshape(input.sizes));
            }

            private static unsafe Tensor ChannelNorm(Tensor input, Tensor? weight, Tensor? bias, Tensor? runningMean, Tensor? runningVar, bool training, double momentum, double eps)
            {
                const string name = "batch_norm";
                using Temporaries made = Temporaries.Open();
                long channels = input.sizes[1];
                Tensor x = input.reshape(input.sizes[0], channels, Shapes.Count(input.sizes.AsSpan(2)));
                ScalarType wide = x.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? ScalarType.Float32 : x.dtype;
                Tensor? w = weight?.to(x.dtype).contiguous(), b = bias?.to(x.dtype).contiguous();
                Tensor cx = x.contiguous(), y = new(x.sizes, x.dtype, x.device), mean = new([channels], wide, x.device), rstd = new([channels], wide, x.device);
                Tensor? rm = runningMean is null ? null : Elementwise.Cast(runningMean, wide), rv = runningVar is null ? null : Elementwise.Cast(runningVar, wide);
                using (Borrow bx = cx.Borrow(name, out flam_tensor vx), by = y.Borrow(name, out flam_tensor vy), bm = mean.Borrow(name, out flam_tensor vm), br = rstd.Borrow(name, out flam_tensor vr))
                using (Borrow bw = (w ?? y).Borrow(name, out flam_tensor vw), bb = (b ?? y).Borrow(name, out flam_tensor vb), brm = (rm ?? y).Borrow(name, out flam_tensor vrm), brv = (rv ?? y).Borrow(name, out flam_tensor vrv))
                    Error.Check(Native.flam_batch_norm(&vx, w is null ? null : &vw, b is null ? null : &vb, rm is null ? null : &vrm, rv is null ? null : &vrv, &vy, &vm, &vr, training ? 1 : 0, momentum, eps), name);
                if (training)
                {
                    Moved(runningMean, rm);
                    Moved(runningVar, rv);
                }
                Flambeau.Reduction.Drop(y, input.sizes);
                bool weighted = w is not null;
                return made.Keep(Graph.Record(name, y, [input, w, b], [cx, w, mean, rstd], (n, dy) =>
                {
                    Tensor g = dy.reshape(n[0].sizes);
                    Tensor?[] d = Engine.Recording ? ChannelNormByFormula(n, g, weighted, training, eps) : ChannelNormBackward(n, g.contiguous(), weighted, training);
                    d[0] = d[0]!.reshape(dy.sizes);
                    return d;
                }));
            }

            private static void Moved(Tensor? running, Tensor? moved)
            {
                if (running is null) return;
                if (ReferenceEquals(running, moved)) running.storage.Version++;
                else Inplace.Write(running, moved!);
            }

            private static unsafe Tensor?[] ChannelNormBackward(Node n, Tensor dy, bool weighted, bool training)
            {
                const string name = "batch_norm";
                Tensor x = n[0], mean = n[2], rstd = n[3], w = weighted ? n[1] : x, dx = new(x.sizes, x.dtype, x.device);
                long[] channels = [x.sizes[1]];
                Tensor? dw = weighted && n.Needs(1) ? new Tensor(channels, x.dtype, x.device) : null, db = n.Needs(2) ? new Tensor(channels, x.dtype, x.device) : null;
                using (Borrow bg = dy.Borrow(name, out flam_tensor vg), bx = x.Borrow(name, out flam_tensor vx), bm = mean.Borrow(name, out flam_tensor vm), br = rstd.Borrow(name, out flam_tensor vr))
                using (Borrow bw = w.Borrow(name, out flam_tensor vw), bdx = dx.Borrow(name, out flam_tensor vdx), bdw = (dw ?? dx).Borrow(name, out flam_tensor vdw), bdb = (db ?? dx).Borrow(name, out flam_tensor vdb))
                    Error.Check(Native.flam_batch_norm_backward(&vg, &vx, weighted ? &vw : null, &vm, &vr, &vdx, dw is null ? null : &vdw, db is null ? null : &vdb, training ? 1 : 0), name);
                return [dx, dw, db];
            }

            // The same of differentiable ops: training dx = rstd (g - mean(g) - xhat mean(g xhat)), else dx = rstd g; g = dy weight
            private static Tensor?[] ChannelNormByFormula(Node n, Tensor dy, bool weighted, bool training, double eps)
            {
                long[] dims = [0, 2];
                Tensor x = n[0], mean = training ? x.mean(dims, keepdim: true) : n[2].to(x.dtype).reshape(1, -1, 1), centred = x - mean;
                Tensor scale = training ? (centred.square().mean(dims, keepdim: true) + eps).rsqrt() : n[3].to(x.dtype).reshape(1, -1, 1), unit = centred * scale;
                Tensor g = weighted ? dy * n[1].reshape(1, -1, 1) : dy;
                Tensor dx = training ? scale * (g - g.mean(dims, keepdim: true) - unit * (g * unit).mean(dims, keepdim: true)) : scale * g;
                return [dx, weighted && n.Needs(1) ? (dy * unit).sum(dims) : null, n.Needs(2) ? dy.sum(dims) : null];
            }

            /// <summary>x / (k + alpha mean(x^2 over size neighbouring channels))^beta (Krizhevsky et al. 2012).</summary>
            /// <exception cref="ArgumentException">Fewer than 3 dimensions, or size below 1.</exception>
            public static Tensor local_response_norm(Tensor input, long size, double alpha = 1e-4, double beta = 0.75, double k = 1)
            {
                if (input.rank < 3) throw Error.Argument("local_response_norm", $"expected 3 or more dimensions, not {Error.Shape(input.sizes)}");
                if (size < 1) throw Error.Argument("local_response_norm", $"size must be at least 1, and is {size}");
                if (input.numel() == 0) return input;
                long batch = input.sizes[0], channels = input.sizes[1];
                Tensor square = input.square().reshape(batch, channels, -1).transpose(1, 2); // [batch, places, channels]
                Tensor zero(long count) => zeros([batch, square.sizes[1], count], input.dtype, input.device);
                Tensor padded = cat([zero(size / 2), square, zero((size - 1) / 2)], 2);
                Tensor near = padded.unfold(2, size, 1).mean(-1).transpose(1, 2).reshape(input.sizes);
                return input / (near * alpha + k).pow(beta);
            }
        }
    }
}
