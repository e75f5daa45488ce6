using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    /// <summary>The indices of the elements that are not 0: int64 [count, rank], in row-major order.</summary>
    public static Tensor nonzero(Tensor input) => input.nonzero();

    public static Tensor argwhere(Tensor input) => input.nonzero();

    public partial class Tensor
    {
        /// <summary>The indices of the elements that are not 0: int64 [count, rank], in row-major order.</summary>
        public unsafe Tensor nonzero()
        {
            long count;
            using Borrow bx = Borrow("nonzero", out flam_tensor vx);
            Error.Check(Native.flam_count_nonzero(&vx, &count), "nonzero");
            var y = new Tensor([count, rank], ScalarType.Int64, device);
            using Borrow by = y.Borrow("nonzero", out flam_tensor vy);
            Error.Check(Native.flam_nonzero(&vx, &vy), "nonzero");
            return y;
        }

        public Tensor argwhere() => nonzero();

        /// <summary>One index tensor per dimension, fit for indexing: <c>x[x.nonzero_as_tuple()]</c>.</summary>
        public Tensor[] nonzero_as_tuple() => rank == 0 ? unsqueeze(0).nonzero().unbind(1) : nonzero().unbind(1);
    }
}
