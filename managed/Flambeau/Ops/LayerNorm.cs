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
                return input.numel() == 0 ? input.clone() : RowNorm(input, Shapes.Count(normalized_shape), weight, bias, eps);
            }

            /// <summary>x / sqrt(mean(x^2) + eps) * weight over the last dimensions, which have normalized_shape (Zhang and Sennrich 2019).</summary>
            /// <exception cref="ArgumentException">The input does not end in normalized_shape, or weight does not have it.</exception>
            public static Tensor rms_norm(Tensor input, long[] normalized_shape, Tensor? weight = null, double? eps = null)
            {
                CheckNorm("rms_norm", input, normalized_shape, weight, null);
                using Temporaries made = Temporaries.Open();
                long[] dims = [.. Enumerable.Range(1, normalized_shape.Length).Select(i => -(long)i)];
                double small = eps ?? Epsilon(input.dtype);
                Tensor x = input.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? input.to(ScalarType.Float32) : input;
                Tensor y = (x * (x.square().mean(dims, keepdim: true) + small).rsqrt()).to(input.dtype);
                return made.Keep(weight is null ? y : y * weight);
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
                using Temporaries made = Temporaries.Open();
                Tensor y = RowNorm(input, input.numel() / (input.sizes[0] * num_groups), null, null, eps);
                if (weight is not null) y *= PerClass(weight, input.rank);
                return made.Keep(bias is null ? y : y + PerClass(bias, input.rank));
            }

            // Rows of `columns` numbers, as x lies when contiguous; weight and bias have that many in any shape.
            private static unsafe Tensor RowNorm(Tensor x, long columns, Tensor? weight, Tensor? bias, double eps)
            {
                const string name = "layer_norm";
                using Temporaries made = Temporaries.Open();
                Tensor cx = x.contiguous(), y = new(x.sizes, x.dtype, x.device);
                Tensor? w = weight?.contiguous(), b = bias?.contiguous(), mean = null, rstd = null;
                if (Graph.Needed(x, weight, bias))
                {
                    ScalarType wide = x.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? ScalarType.Float32 : x.dtype;
                    mean = new([x.numel() / columns], wide, x.device);
                    rstd = new([x.numel() / columns], wide, x.device);
                }
                using (Borrow bx = cx.BorrowRows(name, columns, out flam_tensor vx), by = y.BorrowRows(name, columns, out flam_tensor vy))
                using (Borrow bw = (w ?? y).BorrowRow(name, out flam_tensor vw), bb = (b ?? y).BorrowRow(name, out flam_tensor vb))
                using (Borrow bm = (mean ?? y).Borrow(name, out flam_tensor vm), br = (rstd ?? y).Borrow(name, out flam_tensor vr))
                    Error.Check(Native.flam_layer_norm(&vx, w is null ? null : &vw, b is null ? null : &vb, &vy, mean is null ? null : &vm, rstd is null ? null : &vr, eps), name);
                bool weighted = w is not null;
                long[]? shape = (weight ?? bias)?.sizes;
                return made.Keep(Graph.Record(name, y, [x, weight, bias], [cx, w, mean, rstd], (n, dy) =>
                    Engine.Recording ? RowNormByFormula(n, dy, columns, weighted, shape, eps) : RowNormBackward(n, dy.contiguous(), columns, weighted, shape)));
            }

            private static unsafe Tensor?[] RowNormBackward(Node n, Tensor dy, long columns, bool weighted, long[]? shape)
            {
                const string name = "layer_norm";
                Tensor x = n[0], mean = n[2], rstd = n[3], w = weighted ? n[1] : x, dx = new(x.sizes, x.dtype, x.device);
                Tensor? dw = weighted && n.Needs(1) ? new Tensor(shape!, x.dtype, x.device) : null, db = n.Needs(2) ? new Tensor(shape!, x.dtype, x.device) : null;
                using (Borrow bg = dy.BorrowRows(name, columns, out flam_tensor vg), bx = x.BorrowRows(name, columns, out flam_tensor vx), bdx = dx.BorrowRows(name, columns, out flam_tensor vdx))
                using (Borrow bm = mean.Borrow(name, out flam_tensor vm), br = rstd.Borrow(name, out flam_tensor vr), bw = w.BorrowRow(name, out flam_tensor vw))
                using (Borrow bdw = (dw ?? dx).BorrowRow(name, out flam_tensor vdw), bdb = (db ?? dx).BorrowRow(name, out flam_tensor vdb))
                    Error.Check(Native.flam_layer_norm_backward(&vg, &vx, weighted ? &vw : null, &vm, &vr, &vdx, dw is null ? null : &vdw, db is null ? null : &vdb), name);
                return [dx, dw, db];
            }

            // The same of differentiable ops: dx = rstd (g - mean(g) - xhat mean(g xhat)), g = dy weight, xhat = (x - mean) rstd
            private static Tensor?[] RowNormByFormula(Node n, Tensor dy, long columns, bool weighted, long[]? shape, double eps)
            {
                Tensor x = n[0].reshape(-1, columns), centred = x - x.mean(1, keepdim: true);
                Tensor scale = (centred.square().mean(1, keepdim: true) + eps).rsqrt(), unit = centred * scale, d = dy.reshape(-1, columns);
                Tensor g = weighted ? d * n[1].reshape(columns) : d;
                Tensor dx = scale * (g - g.mean(1, keepdim: true) - unit * (g * unit).mean(1, keepdim: true));
                return [dx.reshape(dy.sizes), weighted && n.Needs(1) ? (d * unit).sum(0).reshape(shape!) : null, n.Needs(2) ? d.sum(0).reshape(shape!) : null];
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
