using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class utils
        {
            /// <summary>Datasets and the loader that makes batches of them.</summary>
            public static partial class data
            {
                /// <summary>A collection of samples by number. GetTensor must be safe to call from several threads.</summary>
                public abstract class Dataset<T> : IDisposable
                {
                    /// <summary>How many samples there are.</summary>
                    public abstract long Count { get; }

                    /// <summary>Sample number index, 0 to Count - 1.</summary>
                    public abstract T GetTensor(long index);

                    public void Dispose()
                    {
                        Dispose(true);
                        GC.SuppressFinalize(this);
                    }

                    protected virtual void Dispose(bool disposing) { }
                }

                /// <summary>Samples that are tensors by name.</summary>
                public abstract class Dataset : Dataset<Dictionary<string, Tensor>>
                {
                }

                /// <summary>Samples that are lists of tensors.</summary>
                public abstract class IterableDataset : Dataset<IList<Tensor>>
                {
                }

                /// <summary>Rows of tensors that share their first size: sample i is row i of each.</summary>
                public static TensorDataset TensorDataset(params Tensor[] tensors) => new(tensors);

                /// <summary>The samples of another dataset that have the given numbers.</summary>
                public static Subset<T> Subset<T>(Dataset<T> dataset, IReadOnlyList<long> indices) => new(dataset, indices);

                /// <summary>Splits a dataset at random into parts of the given lengths, which add up to its count.</summary>
                /// <exception cref="ArgumentException">They do not.</exception>
                public static Subset<T>[] random_split<T>(Dataset<T> dataset, IReadOnlyList<long> lengths, Generator? generator = null)
                {
                    ArgumentNullException.ThrowIfNull(dataset);
                    ArgumentNullException.ThrowIfNull(lengths);
                    if (lengths.Sum() != dataset.Count) throw Error.Argument("random_split", $"lengths {Error.Shape([.. lengths])} add up to {lengths.Sum()}, the dataset has {dataset.Count} samples");
                    long[] order = Order.Permutation(dataset.Count, generator ?? Generator.Default);
                    var parts = new Subset<T>[lengths.Count];
                    long at = 0;
                    for (int i = 0; i < parts.Length; at += lengths[i++]) parts[i] = new Subset<T>(dataset, order[(int)at..(int)(at + lengths[i])]);
                    return parts;
                }
            }
        }
    }

    /// <summary>Random orders, as PyTorch's samplers draw them.</summary>
    internal static class Order
    {
        internal static long[] Permutation(long n, torch.Generator generator) => torch.randperm(n, device: generator.device, generator: generator).data<long>().ToArray();

        /// <summary>A seed as PyTorch draws one for a loader: 63 random bits.</summary>
        internal static long Seed(torch.Generator generator) => (long)(generator.Bits() & long.MaxValue);
    }
}

namespace Flambeau.Modules
{
    /// <summary>Rows of tensors; see torch.utils.data.TensorDataset.</summary>
    public sealed class TensorDataset : torch.utils.data.IterableDataset
    {
        private readonly torch.Tensor[] tensors;

        internal TensorDataset(torch.Tensor[] tensors)
        {
            ArgumentNullException.ThrowIfNull(tensors);
            if (tensors.Length == 0) throw Error.Argument("TensorDataset", "needs at least one tensor");
            foreach (torch.Tensor t in tensors)
                if (t.sizes.Length == 0 || t.sizes[0] != tensors[0].sizes[0])
                    throw Error.Argument("TensorDataset", $"tensors of shapes {Error.Shape(tensors[0].sizes)} and {Error.Shape(t.sizes)} do not share their first size");
            this.tensors = [.. tensors];
        }

        public override long Count => tensors[0].sizes[0];

        public override IList<torch.Tensor> GetTensor(long index) => [.. tensors.Select(t => t.select(0, index))];

        public IList<torch.Tensor> this[long index] => GetTensor(index);
    }

    /// <summary>Some samples of another dataset.</summary>
    public sealed class Subset<T> : torch.utils.data.Dataset<T>
    {
        private readonly torch.utils.data.Dataset<T> dataset;
        private readonly IReadOnlyList<long> indices;

        internal Subset(torch.utils.data.Dataset<T> dataset, IReadOnlyList<long> indices)
        {
            ArgumentNullException.ThrowIfNull(dataset);
            ArgumentNullException.ThrowIfNull(indices);
            foreach (long i in indices)
                if (i < 0 || i >= dataset.Count) throw Error.Range("Subset", $"index {i} is out of range for {dataset.Count} samples");
            this.dataset = dataset;
            this.indices = indices;
        }

        public override long Count => indices.Count;

        public override T GetTensor(long index) => dataset.GetTensor(indices[checked((int)index)]);
    }
}
