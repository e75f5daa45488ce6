namespace Flambeau;

public static partial class torch
{
    public static Tensor tensordot(Tensor a, Tensor b, long dims = 2) => a.tensordot(b, dims);

    public static Tensor tensordot(Tensor a, Tensor b, long[] dims1, long[] dims2) => a.tensordot(b, dims1, dims2);

    public static Tensor tensordot(Tensor a, Tensor b, (long, long)[] dims) => a.tensordot(b, dims);

    public partial class Tensor
    {
        /// <summary>Sums of products over the last dims dimensions of this and the first of b.</summary>
        public Tensor tensordot(Tensor b, long dims = 2)
        {
            if (dims < 0 || dims > rank || dims > b.rank) throw Error.Argument("tensordot", $"cannot contract {dims} dimensions of {Error.Shape(sizes)} and {Error.Shape(b.sizes)}");
            long first = rank - dims;
            return tensordot(b, [.. Enumerable.Range(0, (int)dims).Select(i => first + i)], [.. Enumerable.Range(0, (int)dims).Select(i => (long)i)]);
        }

        public Tensor tensordot(Tensor b, (long, long)[] dims) => tensordot(b, [.. dims.Select(d => d.Item1)], [.. dims.Select(d => d.Item2)]);

        /// <summary>Sums of products over pairs of dimensions; the result has what is left of this, then of b.</summary>
        /// <exception cref="ArgumentException">Paired sizes differ.</exception>
        public Tensor tensordot(Tensor b, long[] dims1, long[] dims2)
        {
            if (dims1.Length != dims2.Length) throw Error.Argument("tensordot", $"{dims1.Length} dimensions of the first but {dims2.Length} of the second");
            int mask1 = dims1.Length == 0 ? 0 : Shapes.DimMask("tensordot", dims1, rank), mask2 = dims2.Length == 0 ? 0 : Shapes.DimMask("tensordot", dims2, b.rank);
            long count = 1;
            for (int i = 0; i < dims1.Length; i++)
            {
                long n = size(Shapes.Dim("tensordot", dims1[i], rank)), m = b.size(Shapes.Dim("tensordot", dims2[i], b.rank));
                if (n != m) throw Error.Argument("tensordot", $"dimension {dims1[i]} of {Error.Shape(sizes)} is {n}, dimension {dims2[i]} of {Error.Shape(b.sizes)} is {m}");
                count *= n;
            }
            long[] free1 = FreeDims(mask1, rank), free2 = FreeDims(mask2, b.rank);
            long[] result = [.. free1.Select(d => sizes[d]), .. free2.Select(d => b.sizes[d])];
            long rows = free1.Aggregate(1L, (n, d) => n * sizes[d]), columns = free2.Aggregate(1L, (n, d) => n * b.sizes[d]);
            long[] order1 = [.. free1, .. dims1.Select(d => (long)Shapes.Dim("tensordot", d, rank))];
            long[] order2 = [.. dims2.Select(d => (long)Shapes.Dim("tensordot", d, b.rank)), .. free2];
            return permute(order1).reshape(rows, count).mm(b.permute(order2).reshape(count, columns)).reshape(result);
        }

        private static long[] FreeDims(int mask, int rank) => [.. Enumerable.Range(0, rank).Where(d => (mask >> d & 1) == 0).Select(d => (long)d)];
    }

    public static partial class linalg
    {
        /// <summary>The product of a chain of matrices (the first and last may be vectors), in the order that costs least.</summary>
        /// <exception cref="ArgumentException">Fewer than two tensors, or sizes that do not fit.</exception>
        public static Tensor multi_dot(IList<Tensor> tensors)
        {
            if (tensors.Count < 2) throw Error.Argument("multi_dot", $"expected at least two tensors, not {tensors.Count}");
            Tensor[] chain = [.. tensors];
            bool row = chain[0].rank == 1, column = chain[^1].rank == 1;
            if (row) chain[0] = chain[0].unsqueeze(0);
            if (column) chain[^1] = chain[^1].unsqueeze(1);
            foreach (Tensor t in chain)
                if (t.rank != 2) throw Error.Argument("multi_dot", $"expected matrices (vectors only at the ends), not shape {Error.Shape(t.sizes)}");
            Tensor y = InOrder(chain, Order(chain), 0, chain.Length - 1);
            if (row) y = y.squeeze(0);
            return column ? y.squeeze(-1) : y;
        }

        // Where to split each stretch of the chain: dynamic programming over multiplications (Cormen et al., chapter 15.2).
        private static int[,] Order(Tensor[] chain)
        {
            int n = chain.Length;
            var cost = new double[n, n];
            var split = new int[n, n];
            for (int length = 1; length < n; length++)
            {
                for (int i = 0; i + length < n; i++)
                {
                    int j = i + length;
                    cost[i, j] = double.PositiveInfinity;
                    for (int k = i; k < j; k++)
                    {
                        double c = cost[i, k] + cost[k + 1, j] + (double)chain[i].sizes[0] * chain[k].sizes[1] * chain[j].sizes[1];
                        if (c < cost[i, j]) (cost[i, j], split[i, j]) = (c, k);
                    }
                }
            }
            return split;
        }

        private static Tensor InOrder(Tensor[] chain, int[,] split, int i, int j) =>
            i == j ? chain[i] : InOrder(chain, split, i, split[i, j]).mm(InOrder(chain, split, split[i, j] + 1, j));
    }
}
