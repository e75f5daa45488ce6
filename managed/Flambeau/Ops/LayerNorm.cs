using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>
            /// (x - mean) / sqrt(var + eps) * weight + bias over the last dimensions, which have normalized_shape; the variance is the biased one
            /// (Ba et al. 2016).
            /// </summary>
            /// <exception cref="ArgumentException">The input does not end in normalized_shape, or weight or bias do not have it.</exception>
            public static Tensor layer_norm(Tensor input, long[] normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5)
            {
                CheckNorm("layer_norm", input, normalized_shape, weight, bias);
                long columns = Shapes.Count(normalized_shape), rows = columns == 0 ? 0 : input.numel() / columns;
                if (input.numel() == 0) return input.clone();
                Tensor x = input.reshape(rows, columns);
                return RowNorm(x, weight?.reshape(columns), bias?.reshape(columns), eps).reshape(input.sizes);
            }

            /// <summary>x / sqrt(mean(x^2) + eps) * weight over the last dimensions, which have normalized_shape (Zhang and Sennrich 2019).</summary>
            /// <exception cref="ArgumentException">The input does not end in normalized_shape, or weight does not have it.</exception>
            public static Tensor rms_norm(Tensor input, long[] normalized_shape, Tensor? weight = null, double? eps = null)
            {
                CheckNorm("rms_norm", input, normalized_shape, weight, null);
                long[] dims = [.. Enumerable.Range(1, normalized_shape.Length).Select(i => -(long)i)];
                double small = eps ?? Epsilon(input.dtype);
                Tensor x = input.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? input.to(ScalarType.Float32) : input;
                Tensor y = (x * (x.square().mean(dims, keepdim: true) + small).rsqrt()).to(input.dtype);
                return weight is null ? y : y * weight;
            }

            /// <summary>layer_norm over each of num_groups groups of channels of [batch, channels, ...], then * weight + bias by channel (Wu and He 2018).</summary>
            /// <exception cref="ArgumentException">The channels do not divide into the groups.</exception>
            public static Tensor group_norm(Tensor input, long num_groups, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5)
            {
                if (input.rank < 2 || num_groups < 1 || input.sizes[1] % num_groups != 0)
                    throw Error.Argument("group_norm", $"shape {Error.Shape(input.sizes)} does not divide into {num_groups} groups of channels");
                input.FloatOnly("group_norm");
                Elementwise.SameDevice("group_norm", input, weight, bias);
                long channels = input.sizes[1];
                if ((weight is not null && weight.numel() != channels) || (bias is not null && bias.numel() != channels))
                    throw Error.Argument("group_norm", $"weight and bias must have {channels} elements");
                if (input.numel() == 0) return input.clone();
                Tensor y = RowNorm(input.reshape(input.sizes[0] * num_groups, -1), null, null, eps).reshape(input.sizes);
                if (weight is not null) y *= PerClass(weight, input.rank);
                return bias is null ? y : y + PerClass(bias, input.rank);
            }

            // x [rows, columns], weight and bias [columns].
            private static unsafe Tensor RowNorm(Tensor x, Tensor? weight, Tensor? bias, double eps)
            {
                const string name = "layer_norm";
                Tensor cx = x.contiguous(), y = new(x.sizes, x.dtype, x.device);
                Tensor? w = weight?.contiguous(), b = bias?.contiguous();
                ScalarType wide = x.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? ScalarType.Float32 : x.dtype;
                Tensor mean = new([x.sizes[0]], wide, x.device), rstd = new([x.sizes[0]], wide, x.device);
                using (Borrow bx = cx.Borrow(name, out flam_tensor vx), by = y.Borrow(name, out flam_tensor vy), bm = mean.Borrow(name, out flam_tensor vm), br = rstd.Borrow(name, out flam_tensor vr))
                using (Borrow bw = (w ?? y).Borrow(name, out flam_tensor vw), bb = (b ?? y).Borrow(name, out flam_tensor vb))
                    Error.Check(Native.flam_layer_norm(&vx, w is null ? null : &vw, b is null ? null : &vb, &vy, &vm, &vr, eps), name);
                bool weighted = w is not null;
                return Graph.Record(name, y, [x, weight, bias], [cx, w, mean, rstd], (n, dy) =>
                    Engine.Recording ? RowNormByFormula(n, dy, weighted, eps) : RowNormBackward(n, dy.contiguous(), weighted));
            }

            private static unsafe Tensor?[] RowNormBackward(Node n, Tensor dy, bool weighted)
            {
                const string name = "layer_norm";
                Tensor x = n[0], mean = n[2], rstd = n[3], w = weighted ? n[1] : x, dx = new(x.sizes, x.dtype, x.device);
                long[] columns = [x.sizes[1]];
                Tensor? dw = weighted && n.Needs(1) ? new Tensor(columns, x.dtype, x.device) : null, db = n.Needs(2) ? new Tensor(columns, x.dtype, x.device) : null;
                using (Borrow bg = dy.Borrow(name, out flam_tensor vg), bx = x.Borrow(name, out flam_tensor vx), bm = mean.Borrow(name, out flam_tensor vm), br = rstd.Borrow(name, out flam_tensor vr))
                using (Borrow bw = w.Borrow(name, out flam_tensor vw), bdx = dx.Borrow(name, out flam_tensor vdx), bdw = (dw ?? dx).Borrow(name, out flam_tensor vdw), bdb = (db ?? dx).Borrow(name, out flam_tensor vdb))
                    Error.Check(Native.flam_layer_norm_backward(&vg, &vx, weighted ? &vw : null, &vm, &vr, &vdx, dw is null ? null : &vdw, db is null ? null : &vdb), name);
                return [dx, dw, db];
            }

            // The same of differentiable ops: dx = rstd (g - mean(g) - xhat mean(g xhat)), g = dy weight, xhat = (x - mean) rstd
            private static Tensor?[] RowNormByFormula(Node n, Tensor dy, bool weighted, double eps)
            {
                Tensor x = n[0], centred = x - x.mean(1, keepdim: true);
                Tensor scale = (centred.square().mean(1, keepdim: true) + eps).rsqrt(), unit = centred * scale;
                Tensor g = weighted ? dy * n[1] : dy;
                Tensor dx = scale * (g - g.mean(1, keepdim: true) - unit * (g * unit).mean(1, keepdim: true));
                return [dx, weighted && n.Needs(1) ? (dy * unit).sum(0) : null, n.Needs(2) ? dy.sum(0) : null];
            }

            private static double Epsilon(ScalarType dtype) => dtype == ScalarType.Float64 ? 2.220446049250313e-16 : 1.1920928955078125e-07;

            private static void CheckNorm(string op, Tensor x, long[] shape, Tensor? weight, Tensor? bias)
            {
                x.FloatOnly(op);
                Elementwise.SameDevice(op, x, weight, bias);
                if (shape.Length == 0 || shape.Length > x.rank || !x.sizes.AsSpan(x.rank - shape.Length).SequenceEqual(shape))
                    throw Error.Argument(op, $"input {Error.Shape(x.sizes)} does not end in normalized_shape {Error.Shape(shape)}");
                if (weight is not null && !weight.sizes.AsSpan().SequenceEqual(shape)) throw Error.Argument(op, $"weight {Error.Shape(weight.sizes)} must have shape {Error.Shape(shape)}");
                if (bias is not null && !bias.sizes.AsSpan().SequenceEqual(shape)) throw Error.Argument(op, $"bias {Error.Shape(bias.sizes)} must have shape {Error.Shape(shape)}");
                if ((weight is not null && weight.dtype != x.dtype) || (bias is not null && bias.dtype != x.dtype)) throw Error.Argument(op, $"weight and bias must be {x.dtype.name()} like the input");
            }
        }
    }
}
