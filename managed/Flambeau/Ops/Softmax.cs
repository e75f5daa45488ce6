using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);

    public static Tensor log_softmax(Tensor input, long dim, ScalarType? dtype = null) => input.log_softmax(dim, dtype);

    public partial class Tensor
    {
        /// <summary>exp(x) divided by its sum along dim. With dtype, x is converted first.</summary>
        /// <exception cref="IndexOutOfRangeException">dim is out of range.</exception>
        public Tensor softmax(long dim, ScalarType? dtype = null)
        {
            Tensor x = Converted("softmax", dtype);
            int d = Shapes.Dim("softmax", dim, rank);
            if (rank == 0) return x.reshape(1).softmax(0).reshape();
            Tensor y = SoftmaxForward(x, d, log: false);
            // dx = y (dy - sum(dy y))
            return Graph.Record("softmax", y, [x], [y], (n, dy) => [SoftmaxBackward(dy, n[0], d)]);
        }

        /// <summary>log(softmax(x)) along dim, without overflow. With dtype, x is converted first.</summary>
        /// <exception cref="IndexOutOfRangeException">dim is out of range.</exception>
        public Tensor log_softmax(long dim, ScalarType? dtype = null)
        {
            Tensor x = Converted("log_softmax", dtype);
            int d = Shapes.Dim("log_softmax", dim, rank);
            if (rank == 0) return x.reshape(1).log_softmax(0).reshape();
            Tensor y = SoftmaxForward(x, d, log: true);
            // dx = dy - exp(y) sum(dy)
            return Graph.Record("log_softmax", y, [x], [y], (n, dy) => [LogSoftmaxBackward(dy, n[0], d)]);
        }

        private Tensor Converted(string op, ScalarType? dtype)
        {
            Tensor x = dtype is { } wanted ? to(wanted) : Live(op);
            x.FloatOnly(op);
            return x;
        }

        private static unsafe Tensor SoftmaxForward(Tensor x, int d, bool log)
        {
            string name = log ? "log_softmax" : "softmax";
            Tensor y = Elementwise.Like(x, x.dtype);
            using Borrow bx = x.Borrow(name, out flam_tensor vx), by = y.Borrow(name, out flam_tensor vy);
            Error.Check(Native.flam_softmax(&vx, &vy, d, log ? 1 : 0), name);
            return y;
        }

        private static unsafe Tensor SoftmaxBackwardForward(Tensor dy, Tensor y, int d, bool log)
        {
            string name = log ? "log_softmax_backward" : "softmax_backward";
            Elementwise.SameDevice(name, dy, y);
            Tensor dx = Elementwise.Like(y, y.dtype);
            using Borrow bg = dy.Borrow(name, out flam_tensor vg), by = y.Borrow(name, out flam_tensor vy), bx = dx.Borrow(name, out flam_tensor vx);
            Error.Check(Native.flam_softmax_backward(&vg, &vy, &vx, d, log ? 1 : 0), name);
            return dx;
        }

        private static Tensor SoftmaxBackward(Tensor dy, Tensor y, int d)
        {
            Tensor dx = SoftmaxBackwardForward(dy, y, d, log: false);
            // ddy = y (g - sum(g y)), d(y) = g (dy - sum(dy y)) - dy sum(g y)
            return Graph.Record("softmax_backward", dx, [dy, y], [dy, y], (n, g) =>
            {
                Tensor h = n[0], p = n[1];
                return
                [
                    n.Needs(0) ? SoftmaxBackward(g, p, d) : null,
                    n.Needs(1) ? g * (h - (h * p).sum(d, keepdim: true)) - h * (g * p).sum(d, keepdim: true) : null,
                ];
            });
        }

        private static Tensor LogSoftmaxBackward(Tensor dy, Tensor y, int d)
        {
            Tensor dx = SoftmaxBackwardForward(dy, y, d, log: true);
            // ddy = g - sum(g exp(y)), d(y) = -g exp(y) sum(dy)
            return Graph.Record("log_softmax_backward", dx, [dy, y], [dy, y], (n, g) =>
            {
                Tensor weighted = g * n[1].exp();
                return [n.Needs(0) ? g - weighted.sum(d, keepdim: true) : null, n.Needs(1) ? -(weighted * n[0].sum(d, keepdim: true)) : null];
            });
        }
    }

    public static partial class nn
    {
        public static partial class functional
        {
            public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);

            public static Tensor log_softmax(Tensor x, long dim, ScalarType? dtype = null) => x.log_softmax(dim, dtype);

            /// <summary>softmax(-x).</summary>
            public static Tensor softmin(Tensor x, long dim) => (-x).softmax(dim);

            /// <summary>softmax((logits + gumbel noise) / tau); hard: one-hot of its maximum, with the gradient of the softmax (Jang et al. 2017).</summary>
            public static Tensor gumbel_softmax(Tensor logits, double tau = 1, bool hard = false, long dim = -1)
            {
                logits.FloatOnly("gumbel_softmax");
                Tensor noise;
                using (no_grad()) noise = -empty(logits.sizes, logits.dtype, logits.device).exponential_().log();
                Tensor y = ((logits + noise) / tau).softmax(dim);
                if (!hard) return y;
                Tensor index = y.argmax(dim, keepdim: true);
                Tensor one = Along.Put("gumbel_softmax", ones(index.sizes, y.dtype, y.device), Shapes.Dim("gumbel_softmax", dim, y.rank), index, y.sizes);
                return one - y.detach() + y;
            }

            /// <summary>softmax over the channels of [batch, channels, height, width] or [channels, height, width].</summary>
            public static Tensor softmax2d(Tensor x) =>
                x.rank is 3 or 4 ? x.softmax(-3) : throw Error.Argument("softmax2d", $"expected 3 or 4 dimensions, not shape {Error.Shape(x.sizes)}");
        }
    }
}
