namespace Flambeau;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>Straight over this memory when nothing is recorded and the dtype stays; otherwise by the general way.</summary>
        private Tensor UnaryInPlace(string name, in NativeOp op, Func<Tensor, Tensor> compute, double a = 0, double b = 0)
        {
            if (!Live(name).is_floating_point() || Graph.Needed(this)) return Inplace.Apply(name, this, [], compute);
            Inplace.Check(name, this);
            Elementwise.Unary(op, this, this, a, b);
            storage.Version++;
            return this;
        }
    }
}
