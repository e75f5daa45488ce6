using System.Collections;
using Flambeau.Modules;
using static Flambeau.torch;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class utils
        {
            public static partial class data
            {
                /// <summary>Batches of a dataset, prepared by background threads while the caller works. See <see cref="Modules.DataLoader{T, S}"/>.</summary>
                /// <param name="device">Where the batches are wanted.</param>
                /// <param name="pin_memory">Batches on the CPU lie in page-locked memory, if there is a GPU; those for a GPU pass through such memory anyway.</param>
                public static DataLoader DataLoader(Dataset dataset, int batchSize, bool shuffle = false, Device? device = null, int? seed = null, int num_worker = 1, bool drop_last = false, bool disposeBatch = true, bool disposeDataset = true, bool pin_memory = false) =>
                    new(dataset, batchSize, shuffle, device, seed, num_worker, drop_last, disposeBatch, disposeDataset, pin_memory);

                public static DataLoader DataLoader(Dataset dataset, int batchSize, IEnumerable<long> shuffler, Device? device = null, int num_worker = 1, bool drop_last = false, bool disposeBatch = true, bool disposeDataset = true, bool pin_memory = false) =>
                    new(dataset, batchSize, shuffler, device, num_worker, drop_last, disposeBatch, disposeDataset, pin_memory);

                public static IterableDataLoader DataLoader(IterableDataset dataset, int batchSize, bool shuffle = false, Device? device = null, int? seed = null, int num_worker = 1, bool drop_last = false, bool disposeBatch = true, bool disposeDataset = true, bool pin_memory = false) =>
                    new(dataset, batchSize, shuffle, device, seed, num_worker, drop_last, disposeBatch, disposeDataset, pin_memory);

                public static IterableDataLoader DataLoader(IterableDataset dataset, int batchSize, IEnumerable<long> shuffler, Device? device = null, int num_worker = 1, bool drop_last = false, bool disposeBatch = true, bool disposeDataset = true, bool pin_memory = false) =>
                    new(dataset, batchSize, shuffler, device, num_worker, drop_last, disposeBatch, disposeDataset, pin_memory);
            }
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>
    /// Batches of a dataset, in an order that depends on the seed alone. With num_worker at least 1, that many threads collect samples ahead
    /// of the loop that uses them; with 0 the caller does. An exception in a worker reaches the caller at the batch it belongs to.
    /// </summary>
    /// <remarks>Without a seed, shuffling consumes the default generator as PyTorch's loader does: the same manual_seed, the same batches.</remarks>
    public class DataLoader<T, S> : IEnumerable<S>, IDisposable
    {
        private readonly bool shuffle;
        private readonly IEnumerable<long>? shuffler;
        private readonly Generator? generator;

        public DataLoader(utils.data.Dataset<T> dataset, int batchSize, Func<IEnumerable<T>, Device, S> collate_fn, bool shuffle = false, Device? device = null, int? seed = null, int num_worker = 1, bool drop_last = false, bool disposeBatch = true, bool disposeDataset = true)
            : this(dataset, batchSize, collate_fn, shuffle, null, seed, device, num_worker, drop_last, disposeBatch, disposeDataset)
        {
        }

        /// <param name="shuffler">The numbers of the samples in the order wanted.</param>
        public DataLoader(utils.data.Dataset<T> dataset, int batchSize, Func<IEnumerable<T>, Device, S> collate_fn, IEnumerable<long> shuffler, Device? device = null, int num_worker = 1, bool drop_last = false, bool disposeBatch = true, bool disposeDataset = true)
            : this(dataset, batchSize, collate_fn, true, shuffler, null, device, num_worker, drop_last, disposeBatch, disposeDataset)
        {
        }

        private DataLoader(utils.data.Dataset<T> dataset, int batchSize, Func<IEnumerable<T>, Device, S> collate, bool shuffle, IEnumerable<long>? shuffler, int? seed, Device? device, int workers, bool dropLast, bool disposeBatch, bool disposeDataset)
        {
            ArgumentNullException.ThrowIfNull(dataset);
            ArgumentNullException.ThrowIfNull(collate);
            if (batchSize < 1) throw Error.Argument("DataLoader", $"batchSize must be at least 1, not {batchSize}");
            if (workers < 0) throw Error.Argument("DataLoader", $"num_worker must not be negative, not {workers}");
            this.dataset = dataset;
            batch_size = batchSize;
            collate_fn = collate;
            this.shuffle = shuffle;
            this.shuffler = shuffler;
            generator = seed is { } s ? new Generator((ulong)(uint)s) : null;
            Device = device ?? CPU;
            num_workers = workers;
            drop_last = dropLast;
            DisposeBatch = disposeBatch;
            DisposeDataset = disposeDataset;
        }

        public utils.data.Dataset<T> dataset { get; }

        public int batch_size { get; }

        public Func<IEnumerable<T>, Device, S> collate_fn { get; }

        public Device Device { get; }

        public int num_workers { get; }

        public bool drop_last { get; }

        public bool DisposeBatch { get; }

        public bool DisposeDataset { get; }

        /// <summary>The numbers of the samples in the order of the next pass.</summary>
        public IEnumerable<long> sampler => Indices();

        /// <summary>How many batches a pass has.</summary>
        public long Count
        {
            get
            {
                long n = shuffler?.LongCount() ?? dataset.Count;
                return drop_last ? n / batch_size : (n + batch_size - 1) / batch_size;
            }
        }

        public IEnumerator<S> GetEnumerator()
        {
            long[] order = Indices();
            long batches = drop_last ? order.LongLength / batch_size : (order.LongLength + batch_size - 1) / batch_size;
            return num_workers == 0 ? Direct(order, batches) : Ahead(order, batches);
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            if (disposing && DisposeDataset) dataset.Dispose();
        }

        private long[] Indices()
        {
            if (shuffler != null) return [.. shuffler];
            // PyTorch's loader draws a seed for its workers first, whether or not it shuffles.
            Generator source = generator ?? Generator.Default;
            _ = Order.Seed(source);
            if (!shuffle)
            {
                var all = new long[dataset.Count];
                for (int i = 0; i < all.Length; i++) all[i] = i;
                return all;
            }
            return Order.Permutation(dataset.Count, generator ?? new Generator((ulong)Order.Seed(source)));
        }

        private S Batch(long[] order, long number)
        {
            using IDisposable _ = no_grad();
            long first = number * batch_size, last = Math.Min(first + batch_size, order.LongLength);
            var samples = new T[last - first];
            for (long i = first; i < last; i++) samples[i - first] = dataset.GetTensor(order[i]);
            return collate_fn(samples, Device);
        }

        private IEnumerator<S> Direct(long[] order, long batches)
        {
            for (long i = 0; i < batches; i++) yield return Batch(order, i);
        }

        private IEnumerator<S> Ahead(long[] order, long batches)
        {
            using var pipeline = new Pipeline(n => Batch(order, n), batches, num_workers);
            for (long i = 0; i < batches; i++) yield return pipeline.Take(i);
        }

        /// <summary>Workers take the next number each; results wait in a ring until their turn.</summary>
        private sealed class Pipeline : IDisposable
        {
            private readonly object gate = new();
            private readonly (bool Ready, S? Value, Exception? Error)[] ring;
            private readonly Func<long, S> make;
            private readonly long count;
            private long next, taken;
            private bool stopped;

            internal Pipeline(Func<long, S> make, long count, int workers)
            {
                this.make = make;
                this.count = count;
                ring = new (bool, S?, Exception?)[2 * workers];
                for (int i = 0; i < Math.Min(workers, count); i++)
                    new Thread(Work) { IsBackground = true, Name = "flambeau data worker" }.Start();
            }

            private void Work()
            {
                while (true)
                {
                    long n;
                    lock (gate)
                    {
                        while (!stopped && next < count && next - taken >= ring.Length) Monitor.Wait(gate);
                        if (stopped || next >= count) return;
                        n = next++;
                    }
                    S? value = default;
                    Exception? error = null;
                    try
                    {
                        value = make(n);
                    }
                    catch (Exception e)
                    {
                        error = e;
                    }
                    lock (gate)
                    {
                        ring[n % ring.Length] = (true, value, error);
                        Monitor.PulseAll(gate);
                    }
                }
            }

            internal S Take(long n)
            {
                lock (gate)
                {
                    while (!ring[n % ring.Length].Ready) Monitor.Wait(gate);
                    (_, S? value, Exception? error) = ring[n % ring.Length];
                    ring[n % ring.Length] = default;
                    taken = n + 1;
                    Monitor.PulseAll(gate);
                    if (error != null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error);
                    return value!;
                }
            }

            public void Dispose()
            {
                lock (gate)
                {
                    stopped = true;
                    Monitor.PulseAll(gate);
                }
            }
        }
    }

    /// <summary>Batches that are tensors by name, stacked along a new first dimension.</summary>
    public class DataLoader : DataLoader<Dictionary<string, Tensor>, Dictionary<string, Tensor>>
    {
        public DataLoader(utils.data.Dataset dataset, int batchSize, bool shuffle = false, Device? device = null, int? seed = null, int num_worker = 1, bool drop_last = false, bool disposeBatch = true, bool disposeDataset = true, bool pin_memory = false)
            : base(dataset, batchSize, (samples, to) => Collate(samples, to, pin_memory), shuffle, device, seed, num_worker, drop_last, disposeBatch, disposeDataset)
        {
        }

        public DataLoader(utils.data.Dataset dataset, int batchSize, IEnumerable<long> shuffler, Device? device = null, int num_worker = 1, bool drop_last = false, bool disposeBatch = true, bool disposeDataset = true, bool pin_memory = false)
            : base(dataset, batchSize, (samples, to) => Collate(samples, to, pin_memory), shuffler, device, num_worker, drop_last, disposeBatch, disposeDataset)
        {
        }

        private static Dictionary<string, Tensor> Collate(IEnumerable<Dictionary<string, Tensor>> samples, Device device, bool pinned)
        {
            Dictionary<string, Tensor>[] all = [.. samples];
            return all[0].Keys.ToDictionary(key => key, key => Batches.Stack([.. all.Select(s => s[key])], device, pinned));
        }
    }

    /// <summary>Batches that are lists of tensors, stacked along a new first dimension.</summary>
    public class IterableDataLoader : DataLoader<IList<Tensor>, IList<Tensor>>
    {
        public IterableDataLoader(utils.data.IterableDataset dataset, int batchSize, bool shuffle = false, Device? device = null, int? seed = null, int num_worker = 1, bool drop_last = false, bool disposeBatch = true, bool disposeDataset = true, bool pin_memory = false)
            : base(dataset, batchSize, (samples, to) => Collate(samples, to, pin_memory), shuffle, device, seed, num_worker, drop_last, disposeBatch, disposeDataset)
        {
        }

        public IterableDataLoader(utils.data.IterableDataset dataset, int batchSize, IEnumerable<long> shuffler, Device? device = null, int num_worker = 1, bool drop_last = false, bool disposeBatch = true, bool disposeDataset = true, bool pin_memory = false)
            : base(dataset, batchSize, (samples, to) => Collate(samples, to, pin_memory), shuffler, device, num_worker, drop_last, disposeBatch, disposeDataset)
        {
        }

        private static IList<Tensor> Collate(IEnumerable<IList<Tensor>> samples, Device device, bool pinned)
        {
            IList<Tensor>[] all = [.. samples];
            return [.. Enumerable.Range(0, all[0].Count).Select(i => Batches.Stack([.. all.Select(s => s[i])], device, pinned))];
        }
    }

    internal static class Batches
    {
        /// <summary>One copy per sample straight into the batch. On the way to a GPU it lies in page-locked memory, from which copies are fast.</summary>
        /// <exception cref="ArgumentException">Samples differ in shape, dtype or device.</exception>
        internal static Tensor Stack(Tensor[] samples, Device device, bool pinned)
        {
            Tensor first = samples[0];
            bool staged = first.is_cpu() && device.type == DeviceType.CUDA, locked = staged || (pinned && first.is_cpu() && Cuda.Count > 0);
            long[] sizes = [samples.Length, .. first.sizes];
            Tensor batch = locked ? Transfer.Pinned(sizes, first.dtype) : new Tensor(sizes, first.dtype, first.device);
            Fill(batch, samples);
            Tensor there = batch.to(device);
            if (staged) batch.Dispose();
            return there;
        }

        private static void Fill(Tensor batch, Tensor[] samples)
        {
            Tensor first = samples[0];
            long step = first.numel();
            long[] rows = Shapes.RowMajor(first.sizes);
            for (int i = 0; i < samples.Length; i++)
            {
                if (!samples[i].sizes.AsSpan().SequenceEqual(first.sizes) || samples[i].dtype != first.dtype)
                    throw Error.Argument("DataLoader", $"samples of one batch differ: {Error.Shape(first.sizes)} of {first.dtype.name()} and {Error.Shape(samples[i].sizes)} of {samples[i].dtype.name()}");
                using Tensor row = batch.Raw(first.sizes, rows, i * step);
                Elementwise.Copy("DataLoader", samples[i], row);
            }
        }
    }
}
