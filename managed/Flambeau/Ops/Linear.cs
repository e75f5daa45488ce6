namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            /// <summary>x W^T + b: input [..., in], weights [out, in], bias [out], result [..., out].</summary>
            /// <exception cref="ArgumentException">Sizes or dtypes do not fit.</exception>
            public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null)
            {
                CheckLinear(input, weights, bias);
                if (weights.rank == 1) return bias is null ? input.matmul(weights) : input.matmul(weights) + bias;
                long rows = Shapes.Count(input.sizes.AsSpan(0, input.rank - 1)), inner = weights.sizes[1], outer = weights.sizes[0];
                long[] result = [.. input.sizes[..^1], outer], old = input.sizes;
                using Temporaries made = Temporaries.Open();
                Tensor flat;
                using (no_grad()) flat = input.reshape(rows, inner);
                Tensor y = MatrixProduct.Run("linear", flat, weights.Raw([inner, outer], [weights.strides[1], weights.strides[0]], weights.offset), bias, 1, 0, null);
                Flambeau.Reduction.Drop(y, result);
                bool needX = Graph.Needed(input), needW = Graph.Needed(weights);
                // dx = dy W, dW = dy^T x, db = sum of dy over rows
                return made.Keep(Graph.Record("linear", y, [input, weights, bias], [needW ? input : null, needX ? weights : null], (n, dy) =>
                {
                    Tensor g = dy.reshape(rows, outer);
                    return
                    [
                        n.Needs(0) ? g.Product("linear", n[1]).reshape(old) : null,
                        n.Needs(1) ? g.transpose(0, 1).Product("linear", n[0].reshape(rows, inner)) : null,
                        n.Needs(2) ? g.sum(0) : null,
                    ];
                }));
            }

            private static void CheckLinear(Tensor x, Tensor w, Tensor? b)
            {
                if (w.rank is not (1 or 2) || x.rank == 0 || x.sizes[^1] != w.sizes[^1])
                    throw Error.Argument("linear", $"input {Error.Shape(x.Live("linear").sizes)} does not fit weights {Error.Shape(w.Live("linear").sizes)}: the last sizes must agree");
                if (x.dtype != w.dtype || (b is not null && b.dtype != x.dtype))
                    throw Error.Argument("linear", $"dtypes differ: input {x.dtype.name()}, weights {w.dtype.name()}{(b is null ? "" : $", bias {b.dtype.name()}")}");
                if (b is not null && w.rank == 2 && (b.rank != 1 || b.sizes[0] != w.sizes[0]))
                    throw Error.Argument("linear", $"bias {Error.Shape(b.sizes)} does not fit weights {Error.Shape(w.sizes)}");
                Elementwise.SameDevice("linear", x, w, b);
            }

            /// <summary>x1^T W_o x2 + b_o for each output o: input1 [..., in1], input2 [..., in2], weight [out, in1, in2].</summary>
            /// <exception cref="ArgumentException">Sizes do not fit.</exception>
            public static Tensor bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias = null)
            {
                Elementwise.SameDevice("bilinear", input1, input2, weight, bias);
                if (weight.rank != 3 || input1.rank == 0 || input2.rank == 0 || input1.sizes[^1] != weight.sizes[1] || input2.sizes[^1] != weight.sizes[2]
                    || !input1.sizes.AsSpan(0, input1.rank - 1).SequenceEqual(input2.sizes.AsSpan(0, input2.rank - 1)))
                    throw Error.Argument("bilinear", $"inputs {Error.Shape(input1.sizes)} and {Error.Shape(input2.sizes)} do not fit weight {Error.Shape(weight.sizes)}");
                long outer = weight.sizes[0], a = weight.sizes[1], b = weight.sizes[2];
                // [rows, in1] x [in1, out in2] -> [rows, out, in2], times x2, summed over in2
                Tensor half = input1.reshape(-1, a).mm(weight.permute(1, 0, 2).reshape(a, outer * b)).reshape(-1, outer, b);
                Tensor y = half.bmm(input2.reshape(-1, b, 1)).reshape([.. input1.sizes[..^1], outer]);
                return bias is null ? y : y + bias;
            }
        }
    }
}
