namespace Flambeau;

public static partial class torch
{
    public static Tensor addmm(Tensor input, Tensor mat1, Tensor mat2, double beta = 1, double alpha = 1) => input.addmm(mat1, mat2, beta, alpha);

    public static Tensor addmm_(Tensor input, Tensor mat1, Tensor mat2, double beta = 1, double alpha = 1) => input.addmm_(mat1, mat2, beta, alpha);

    public static Tensor baddbmm(Tensor input, Tensor batch1, Tensor batch2, double beta = 1, double alpha = 1) => input.baddbmm(batch1, batch2, beta, alpha);

    public static Tensor addbmm(Tensor input, Tensor batch1, Tensor batch2, double beta = 1, double alpha = 1) => input.addbmm(batch1, batch2, beta, alpha);

    public static Tensor addbmm_(Tensor input, Tensor batch1, Tensor batch2, double beta = 1, double alpha = 1) => input.addbmm_(batch1, batch2, beta, alpha);

    public static Tensor addmv(Tensor input, Tensor mat1, Tensor mat2, double beta = 1, double alpha = 1) => input.addmv(mat1, mat2, beta, alpha);

    public static Tensor addmv_(Tensor input, Tensor mat1, Tensor mat2, double beta = 1, double alpha = 1) => input.addmv_(mat1, mat2, beta, alpha);

    public static Tensor addr(Tensor input, Tensor vec1, Tensor vec2, double beta = 1, double alpha = 1) => input.addr(vec1, vec2, beta, alpha);

    public static Tensor addr_(Tensor input, Tensor vec1, Tensor vec2, double beta = 1, double alpha = 1) => input.addr_(vec1, vec2, beta, alpha);

    public static Tensor outer(Tensor input, Tensor vec2) => input.outer(vec2);

    public static Tensor ger(Tensor input, Tensor vec2) => input.outer(vec2);

    public static Tensor inner(Tensor input, Tensor vec2) => input.inner(vec2);

    public static Tensor chain_matmul(params Tensor[] matrices) => linalg.multi_dot(matrices);

    public static Tensor trace(Tensor input) => input.trace();

    public static Tensor kron(Tensor input, Tensor other) => input.kron(other);

    public partial class Tensor
    {
        /// <summary>beta * this + alpha * mat1 mat2; this broadcasts to [m, n].</summary>
        public Tensor addmm(Tensor mat1, Tensor mat2, double beta = 1, double alpha = 1)
        {
            if (mat1.rank != 2 || mat2.rank != 2) throw Error.Argument("addmm", $"expected two matrices, not {Error.Shape(mat1.sizes)} and {Error.Shape(mat2.sizes)}");
            return AddProduct("addmm", mat1, mat2, beta, alpha);
        }

        /// <summary>beta * this + alpha * batch1 batch2; this broadcasts to [batch, m, n].</summary>
        public Tensor baddbmm(Tensor batch1, Tensor batch2, double beta = 1, double alpha = 1)
        {
            if (batch1.rank != 3 || batch2.rank != 3 || batch1.sizes[0] != batch2.sizes[0])
                throw Error.Argument("baddbmm", $"expected [batch, m, k] and [batch, k, n], not {Error.Shape(batch1.sizes)} and {Error.Shape(batch2.sizes)}");
            return AddProduct("baddbmm", batch1, batch2, beta, alpha);
        }

        /// <summary>beta * this + alpha * the sum of the products of two batches: this [m, n].</summary>
        public Tensor addbmm(Tensor batch1, Tensor batch2, double beta = 1, double alpha = 1) => Scaled(beta) is { } x ? x + batch1.bmm(batch2).sum(0) * alpha : batch1.bmm(batch2).sum(0) * alpha;

        /// <summary>beta * this + alpha * mat vec.</summary>
        public Tensor addmv(Tensor mat, Tensor vec, double beta = 1, double alpha = 1) => Scaled(beta) is { } x ? x + mat.mv(vec) * alpha : mat.mv(vec) * alpha;

        /// <summary>beta * this + alpha * the outer product of vec1 and vec2.</summary>
        public Tensor addr(Tensor vec1, Tensor vec2, double beta = 1, double alpha = 1) => Scaled(beta) is { } x ? x + vec1.outer(vec2) * alpha : vec1.outer(vec2) * alpha;

        public Tensor addmm_(Tensor mat1, Tensor mat2, double beta = 1, double alpha = 1) => Inplace.Apply("addmm_", this, [mat1, mat2], x => x.addmm(mat1, mat2, beta, alpha));

        public Tensor baddbmm_(Tensor batch1, Tensor batch2, double beta = 1, double alpha = 1) =>
            Inplace.Apply("baddbmm_", this, [batch1, batch2], x => x.baddbmm(batch1, batch2, beta, alpha));

        public Tensor addbmm_(Tensor batch1, Tensor batch2, double beta = 1, double alpha = 1) =>
            Inplace.Apply("addbmm_", this, [batch1, batch2], x => x.addbmm(batch1, batch2, beta, alpha));

        public Tensor addmv_(Tensor mat, Tensor vec, double beta = 1, double alpha = 1) => Inplace.Apply("addmv_", this, [mat, vec], x => x.addmv(mat, vec, beta, alpha));

        public Tensor addr_(Tensor vec1, Tensor vec2, double beta = 1, double alpha = 1) => Inplace.Apply("addr_", this, [vec1, vec2], x => x.addr(vec1, vec2, beta, alpha));

        /// <summary>All products of an element of one vector and an element of the other: [n] and [m] give [n, m].</summary>
        public Tensor outer(Tensor vec2)
        {
            if (rank != 1 || vec2.rank != 1) throw Error.Argument("outer", $"expected two vectors, not {Error.Shape(sizes)} and {Error.Shape(vec2.sizes)}");
            return unsqueeze(1) * vec2;
        }

        public Tensor ger(Tensor vec2) => outer(vec2);

        /// <summary>Sums of products over the last dimensions of both: [..., k] and [..., k] give [..., ...].</summary>
        public Tensor inner(Tensor vec2)
        {
            if (rank == 0 || vec2.rank == 0) return this * vec2;
            if (sizes[^1] != vec2.sizes[^1]) throw Error.Argument("inner", $"the last sizes of {Error.Shape(sizes)} and {Error.Shape(vec2.sizes)} differ");
            return tensordot(vec2, [-1], [-1]);
        }

        /// <summary>The Kronecker product: every element of this times the whole of other.</summary>
        public Tensor kron(Tensor other)
        {
            int n = Math.Max(rank, other.rank);
            long[] a = new long[2 * n], b = new long[2 * n], result = new long[n];
            for (int d = 0; d < n; d++)
            {
                int da = d - (n - rank), db = d - (n - other.rank);
                (a[2 * d], a[2 * d + 1]) = (da < 0 ? 1 : sizes[da], 1);
                (b[2 * d], b[2 * d + 1]) = (1, db < 0 ? 1 : other.sizes[db]);
                result[d] = a[2 * d] * b[2 * d + 1];
            }
            return (reshape(a) * other.reshape(b)).reshape(result);
        }

        /// <summary>The sum of the diagonal of a matrix.</summary>
        public Tensor trace()
        {
            if (rank != 2) throw Error.Argument("trace", $"expected a matrix, not shape {Error.Shape(sizes)}");
            return diagonal().sum();
        }

        // With beta 0 what this holds is ignored, NaN included.
        private Tensor? Scaled(double beta) => beta == 0 ? null : beta == 1 ? this : this * beta;

        private Tensor AddProduct(string name, Tensor a, Tensor b, double beta, double alpha)
        {
            CheckInner(name, a, b);
            Elementwise.SameDevice(name, this, a);
            if (dtype != a.dtype) throw Error.Argument(name, $"dtypes differ: {dtype.name()} and {a.dtype.name()}");
            long[] result = a.rank == 3 ? [a.sizes[0], a.sizes[1], b.sizes[2]] : [a.sizes[0], b.sizes[1]];
            if (!Shapes.Broadcast(name, sizes, result).AsSpan().SequenceEqual(result))
                throw Error.Argument(name, $"shape {Error.Shape(sizes)} does not broadcast to {Error.Shape(result)}");
            var y = new Tensor(result, dtype, device);
            if (beta != 0) Elementwise.Copy(name, this, y);
            MatrixProduct.Run(name, a, b, null, alpha, beta, y);
            // dx = beta dy, da = alpha dy b^T, db = alpha a^T dy
            return Graph.Record(name, y, [this, a, b], [Graph.Needed(b) ? a : null, Graph.Needed(a) ? b : null], (n, dy) =>
            {
                Tensor g = alpha == 1 ? dy : dy * alpha;
                return
                [
                    n.Needs(0) ? (beta == 1 ? dy : dy * beta) : null,
                    n.Needs(1) ? g.Product(name, n[1].transpose(-2, -1)) : null,
                    n.Needs(2) ? n[0].transpose(-2, -1).Product(name, g) : null,
                ];
            });
        }
    }
}
