namespace Flambeau;

public static partial class torch
{
    private static readonly NativeOp LerpOp = NativeOp.Ternary("lerp");
    private static readonly NativeOp AddcmulOp = NativeOp.Ternary("addcmul");
    private static readonly NativeOp AddcdivOp = NativeOp.Ternary("addcdiv");

    public static Tensor lerp(Tensor input, Tensor end, Tensor weight) => input.lerp(end, weight);

    public static Tensor lerp(Tensor input, Tensor end, Scalar weight) => input.lerp(end, weight);

    public static Tensor addcmul(Tensor input, Tensor tensor1, Tensor tensor2, Scalar value) => input.addcmul(tensor1, tensor2, value);

    public static Tensor addcmul(Tensor input, Tensor tensor1, Tensor tensor2) => input.addcmul(tensor1, tensor2, 1);

    public static Tensor addcmul_(Tensor input, Tensor tensor1, Tensor tensor2, Scalar value) => input.addcmul_(tensor1, tensor2, value);

    public static Tensor addcdiv(Tensor input, Tensor tensor1, Tensor tensor2, Scalar value) => input.addcdiv(tensor1, tensor2, value);

    public static Tensor addcdiv(Tensor input, Tensor tensor1, Tensor tensor2) => input.addcdiv(tensor1, tensor2, 1);

    public static Tensor addcdiv_(Tensor input, Tensor tensor1, Tensor tensor2, Scalar value) => input.addcdiv_(tensor1, tensor2, value);

    public partial class Tensor
    {
        /// <summary>this + weight * (end - this).</summary>
        public Tensor lerp(Tensor end, Tensor weight)
        {
            FloatOnly("lerp");
            if (dtype != end.dtype || dtype != weight.dtype) throw Error.Argument("lerp", $"dtypes differ: {dtype.name()}, {end.dtype.name()} and {weight.dtype.name()}");
            Tensor y = Elementwise.Ternary(LerpOp, this, end, weight);
            // da = dy (1 - w), db = dy w, dw = dy (b - a)
            return Graph.Record("lerp", y, [this, end, weight], [this, end, weight], static (n, dy) =>
            [
                n.Needs(0) ? dy * (1 - n[2]) : null,
                n.Needs(1) ? dy * n[2] : null,
                n.Needs(2) ? dy * (n[1] - n[0]) : null,
            ]);
        }

        public Tensor lerp(Tensor end, Scalar weight) => lerp(end, torch.full([], weight, dtype, CPU));

        public Tensor lerp_(Tensor end, Tensor weight) => Inplace.Apply("lerp_", this, [end, weight], x => x.lerp(end, weight));

        public Tensor lerp_(Tensor end, Scalar weight) => Inplace.Apply("lerp_", this, [end], x => x.lerp(end, weight));

        /// <summary>this + value * tensor1 * tensor2.</summary>
        public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar? value = null)
        {
            Scalar scale = value ?? 1;
            (Tensor x, Tensor a, Tensor b) = Promoted(this, tensor1, tensor2);
            Tensor y = Elementwise.Ternary(AddcmulOp, x, a, b, scale.ToDouble());
            // dx = dy, da = dy value b, db = dy value a
            return Graph.Record("addcmul", y, [this, tensor1, tensor2], [tensor1, tensor2], (n, dy) =>
            [
                dy,
                n.Needs(1) ? dy * n[1] * scale : null,
                n.Needs(2) ? dy * n[0] * scale : null,
            ]);
        }

        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar? value = null) =>
            Inplace.Apply("addcmul_", this, [tensor1, tensor2], x => x.addcmul(tensor1, tensor2, value));

        /// <summary>this + value * tensor1 / tensor2.</summary>
        public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar? value = null)
        {
            double scale = value?.ToDouble() ?? 1;
            (Tensor x, Tensor a, Tensor b) = Promoted(this, tensor1, tensor2);
            if (!x.is_floating_point()) throw Error.Unsupported("addcdiv", $"not defined for {x.dtype.name()}");
            Tensor y = Elementwise.Ternary(AddcdivOp, x, a, b, scale);
            // dx = dy, da = dy value / b, db = -dy value a / b^2
            return Graph.Record("addcdiv", y, [this, tensor1, tensor2], [tensor1, tensor2], (n, dy) =>
            {
                Tensor da = dy * scale / n[1];
                return [dy, n.Needs(1) ? da : null, n.Needs(2) ? -(da * n[0] / n[1]) : null];
            });
        }

        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar? value = null) =>
            Inplace.Apply("addcdiv_", this, [tensor1, tensor2], x => x.addcdiv(tensor1, tensor2, value));

        private static (Tensor, Tensor, Tensor) Promoted(Tensor x, Tensor a, Tensor b)
        {
            ScalarType dtype = promote_types(result_type(x, a), result_type(x, b));
            return (Elementwise.Cast(x, dtype), Elementwise.Cast(a, dtype), Elementwise.Cast(b, dtype));
        }
    }
}
