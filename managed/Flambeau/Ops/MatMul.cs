using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static Tensor mm(Tensor input, Tensor target) => input.mm(target);

    public static Tensor bmm(Tensor input, Tensor batch2) => input.bmm(batch2);

    public static Tensor matmul(Tensor input, Tensor target) => input.matmul(target);

    public static Tensor mv(Tensor input, Tensor target) => input.mv(target);

    public static Tensor dot(Tensor input, Tensor other) => input.dot(other);

    public static Tensor vdot(Tensor input, Tensor target) => input.dot(target);

    public partial class Tensor
    {
        /// <summary>The matrix product [m, k] x [k, n].</summary>
        /// <exception cref="ArgumentException">Not two matrices, or their inner sizes or dtypes differ.</exception>
        public Tensor mm(Tensor target)
        {
            if (rank != 2 || target.rank != 2) throw Error.Argument("mm", $"expected two matrices, not {Error.Shape(sizes)} and {Error.Shape(target.sizes)}");
            return Product("mm", target);
        }

        /// <summary>Matrix products of two batches: [batch, m, k] x [batch, k, n].</summary>
        /// <exception cref="ArgumentException">Not 3 dimensions each, or sizes or dtypes differ.</exception>
        public Tensor bmm(Tensor batch2)
        {
            if (rank != 3 || batch2.rank != 3 || sizes[0] != batch2.sizes[0])
                throw Error.Argument("bmm", $"expected [batch, m, k] and [batch, k, n], not {Error.Shape(sizes)} and {Error.Shape(batch2.sizes)}");
            return Product("bmm", batch2);
        }

        /// <summary>The product of vectors, matrices or batches of matrices; batch dimensions broadcast.</summary>
        /// <exception cref="ArgumentException">Inner sizes or dtypes differ, or a tensor is 0-dim.</exception>
        public Tensor matmul(Tensor target)
        {
            int a = Live("matmul").rank, b = target.Live("matmul").rank;
            if (a == 0 || b == 0) throw Error.Argument("matmul", $"both tensors need a dimension: {Error.Shape(sizes)} and {Error.Shape(target.sizes)}");
            CheckInner("matmul", this, target);
            if (a <= 2 && b <= 2) return SmallProduct(target, a, b);
            if (b == 1) return Folded("matmul", target.unsqueeze(1)).squeeze(-1);
            if (b == 2 && a > 2) return Folded("matmul", target);
            Tensor left = a == 1 ? unsqueeze(0) : this;
            Tensor y = left.Batched(target);
            return a == 1 ? y.squeeze(-2) : y;
        }

        /// <summary>The product of a matrix [m, k] and a vector [k].</summary>
        public Tensor mv(Tensor target)
        {
            if (rank != 2 || target.rank != 1) throw Error.Argument("mv", $"expected a matrix and a vector, not {Error.Shape(sizes)} and {Error.Shape(target.sizes)}");
            CheckInner("mv", this, target);
            return Reduction.Reshape(Product("mv", target.unsqueeze(1)), [sizes[0]]);
        }

        /// <summary>The sum of the products of two vectors.</summary>
        public Tensor dot(Tensor target)
        {
            if (rank != 1 || target.rank != 1) throw Error.Argument("dot", $"expected two vectors, not {Error.Shape(sizes)} and {Error.Shape(target.sizes)}");
            CheckInner("dot", this, target);
            return Reduction.Reshape(unsqueeze(0).Product("dot", target.unsqueeze(1)), []);
        }

        public Tensor vdot(Tensor target) => dot(target);

        private Tensor SmallProduct(Tensor target, int a, int b) => (a, b) switch
        {
            (2, 2) => Product("matmul", target),
            (1, 1) => Reduction.Reshape(unsqueeze(0).Product("matmul", target.unsqueeze(1)), []),
            (1, 2) => Reduction.Reshape(unsqueeze(0).Product("matmul", target), [target.sizes[1]]),
            _ => Reduction.Reshape(Product("matmul", target.unsqueeze(1)), [sizes[0]]),
        };

        // [..., m, k] x [k, n]: the leading dimensions are rows of one matrix.
        private Tensor Folded(string name, Tensor matrix)
        {
            long[] result = [.. sizes[..^1], matrix.sizes[1]];
            return Reduction.Reshape(reshape(Shapes.Count(sizes.AsSpan(0, rank - 1)), sizes[^1]).Product(name, matrix), result);
        }

        // [..., m, k] x [..., k, n] with batch dimensions that broadcast.
        private Tensor Batched(Tensor target)
        {
            long[] batch = Shapes.Broadcast("matmul", sizes[..^2], target.sizes[..^2]);
            long count = Shapes.Count(batch);
            Tensor a = expand([.. batch, .. sizes[^2..]]).reshape(count, sizes[^2], sizes[^1]);
            Tensor b = target.expand([.. batch, .. target.sizes[^2..]]).reshape(count, target.sizes[^2], target.sizes[^1]);
            return Reduction.Reshape(a.Product("matmul", b), [.. batch, sizes[^2], target.sizes[^1]]);
        }

        /// <summary>[m, k] x [k, n] or [batch, m, k] x [batch, k, n], with its derivative.</summary>
        internal Tensor Product(string name, Tensor b)
        {
            CheckInner(name, this, b);
            Tensor y = MatrixProduct.Run(name, this, b, null, 1, 0, null);
            // da = dy b^T, db = a^T dy
            return Graph.Record(name, y, [this, b], [Graph.Needed(b) ? this : null, Graph.Needed(this) ? b : null], (n, dy) =>
            [
                n.Needs(0) ? dy.Product(name, n[1].transpose(-2, -1)) : null,
                n.Needs(1) ? n[0].transpose(-2, -1).Product(name, dy) : null,
            ]);
        }

        internal static void CheckInner(string name, Tensor a, Tensor b)
        {
            Elementwise.SameDevice(name, a.Live(name), b.Live(name));
            if (a.dtype != b.dtype) throw Error.Argument(name, $"dtypes differ: {a.dtype.name()} and {b.dtype.name()}");
            int inner = Math.Max(b.rank - 2, 0);
            if (a.sizes[^1] != b.sizes[inner])
                throw Error.Argument(name, $"cannot multiply {Error.Shape(a.sizes)} by {Error.Shape(b.sizes)}: dimension {a.rank - 1} of the first is {a.sizes[^1]}, dimension {inner} of the second is {b.sizes[inner]}");
        }
    }
}

/// <summary>The forward of matrix products. Knows no derivative.</summary>
internal static unsafe class MatrixProduct
{
    /// <summary>y = alpha a b + beta y (+ bias), for 2 or 3 dimensions; into <paramref name="into"/> if given.</summary>
    internal static torch.Tensor Run(string name, torch.Tensor a, torch.Tensor b, torch.Tensor? bias, double alpha, double beta, torch.Tensor? into)
    {
        if (a.dtype == torch.ScalarType.Bool) throw Error.Unsupported(name, "not defined for bool");
        torch.Tensor y = into ?? new torch.Tensor(a.rank == 3 ? [a.sizes[0], a.sizes[1], b.sizes[2]] : [a.sizes[0], b.sizes[1]], a.dtype, a.device);
        flam_tensor vbias = default;
        using Borrow ba = a.Borrow(name, out flam_tensor va), bb = b.Borrow(name, out flam_tensor vb);
        using Borrow bc = (bias ?? y).Borrow(name, out vbias), by = y.Borrow(name, out flam_tensor vy);
        Error.Check(Native.flam_matmul(&va, &vb, bias is null ? null : &vbias, &vy, alpha, beta), name);
        return y;
    }
}
