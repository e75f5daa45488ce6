using System.Diagnostics;
using System.Runtime.CompilerServices;
using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    /// <summary>
    /// A strided, typed view of a storage, with its place in the autograd graph. Never needs disposing: the storage is freed by the
    /// collector, or at once when the last tensor over it is disposed.
    /// </summary>
    [DebuggerDisplay("{DebugText,nq}")]
    public partial class Tensor : IDisposable
    {
        internal Storage storage;
        internal long offset; // in elements
        internal long[] sizes;
        internal long[] strides; // in elements
        private ScalarType type;
        internal Autograd? autograd; // shared by every Tensor that is the same node of the graph
        internal Tensor? view_base; // the tensor that owns the memory, if this is a view of one
        internal bool shared; // a gradient that somebody else may hold too: a leaf must not take it over
        private int disposed;

        /// <summary>New memory, row-major.</summary>
        internal Tensor(ReadOnlySpan<long> sizes, ScalarType dtype, Device device)
            : this(new Storage(Shapes.Count(sizes) * dtype.ElementSize(), device), first: true, 0, sizes.ToArray(), Shapes.RowMajor(sizes), dtype)
        {
        }

        /// <summary>Takes over the arrays; holds the storage.</summary>
        internal Tensor(Storage storage, bool first, long offset, long[] sizes, long[] strides, ScalarType dtype)
        {
            if (first) storage.HoldFirst();
            else if (!storage.TryHold()) throw Error.Disposed("view");
            this.storage = storage;
            this.offset = offset;
            this.sizes = sizes;
            this.strides = strides;
            type = dtype;
            DisposeScope.Made(this);
        }

        /// <summary>The same memory and the same node of the graph: what Parameter and saved tensors are made of.</summary>
        protected internal Tensor(Tensor source)
            : this(source.Live("alias").storage, first: false, source.offset, source.sizes, source.strides, source.type)
        {
            autograd = source.autograd;
            view_base = source.view_base;
            DisposeScope.Outlives(this); // parameters and saved tensors
        }

        /// <summary>Sizes of the dimensions, outermost first (a copy).</summary>
        public long[] shape => [.. sizes];

        public long[] size() => [.. sizes];

        /// <exception cref="IndexOutOfRangeException">dim is out of range.</exception>
        public long size(int dim) => sizes[Shapes.Dim("size", dim, sizes.Length)];

        /// <summary>Distance in elements between neighbours along each dimension (a copy).</summary>
        public long[] stride() => [.. strides];

        public long stride(int dim) => strides[Shapes.Dim("stride", dim, sizes.Length)];

        /// <summary>Position of the first element in the storage.</summary>
        public long storage_offset() => offset;

        public long ndim => sizes.Length;

        public long dim() => sizes.Length;

        internal int rank => sizes.Length;

        public long numel() => Shapes.Count(sizes);

        public long NumberOfElements => Shapes.Count(sizes);

        public long ElementSize => type.ElementSize();

        public long element_size() => type.ElementSize();

        public ScalarType dtype => type;

        public Device device => storage.Device;

        public DeviceType device_type => storage.Device.type;

        public bool is_floating_point() => type.is_floating_point();

        public bool is_cuda => device_type == DeviceType.CUDA;

        public bool is_cpu() => device_type == DeviceType.CPU;

        public bool is_contiguous() => Shapes.IsRowMajor(sizes, strides);

        /// <summary>True after Dispose.</summary>
        public bool IsInvalid => Volatile.Read(ref disposed) != 0;

        /// <summary>Gives the memory back at once if no other tensor uses it. Optional: an unreachable tensor is freed all the same.</summary>
        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            if (Interlocked.Exchange(ref disposed, 1) != 0) return;
            storage.LetGo();
            DisposeScope.Current?.Forget(this);
        }

        /// <summary>This tensor, or ObjectDisposedException naming the op.</summary>
        internal Tensor Live(string op)
        {
            if (Volatile.Read(ref disposed) != 0) throw Error.Disposed(op);
            return this;
        }

        /// <summary>The native view of this tensor, and the hold on its memory for one call: <c>using var _ = x.Borrow("exp", out var vx);</c></summary>
        internal Borrow Borrow(string op, out flam_tensor view) => new(Hold(op, out view));

        /// <summary>This tensor, which is contiguous, as [numel / columns, columns].</summary>
        internal Borrow BorrowRows(string op, long columns, out flam_tensor view)
        {
            Borrow held = BorrowRow(op, out view);
            view.rank = 2;
            view.sizes[0] /= columns;
            (view.sizes[1], view.strides[0], view.strides[1]) = (columns, columns, 1);
            return held;
        }

        /// <summary>This tensor, which is contiguous, as [numel].</summary>
        internal Borrow BorrowRow(string op, out flam_tensor view)
        {
            Borrow held = Borrow(op, out view);
            view.rank = 1;
            (view.sizes[0], view.strides[0]) = (numel(), 1);
            return held;
        }

        /// <summary>As Borrow, for calls over many tensors; the caller lets go of the storage.</summary>
        internal unsafe Storage Hold(string op, out flam_tensor view)
        {
            Storage held = storage;
            if (Volatile.Read(ref disposed) != 0 || !held.TryHold()) throw Error.Disposed(op);
            if (Capture.Running) Capture.Note(held);
            Unsafe.SkipInit(out view);
            view.data = (byte*)held.Pointer + offset * type.ElementSize();
            view.dtype = (int)type;
            view.rank = sizes.Length;
            view.device_type = (int)held.Device.type;
            view.device_index = Math.Max(held.Device.index, 0);
            for (int i = 0; i < sizes.Length; i++)
            {
                view.sizes[i] = sizes[i];
                view.strides[i] = strides[i];
            }
            return held;
        }

        /// <summary>Another view of the same memory that autograd does not know of.</summary>
        internal Tensor Raw(ReadOnlySpan<long> sizes, ReadOnlySpan<long> strides, long offset) =>
            new(Live("view").storage, first: false, offset, sizes.ToArray(), strides.ToArray(), type);

        /// <summary>Swaps memory and geometry under this object, keeping its identity (module.to, optimizers keep the Parameter).</summary>
        internal void ReplaceData(Tensor source)
        {
            source.Live("set_data");
            if (!source.storage.TryHold()) throw Error.Disposed("set_data");
            Storage old = storage;
            (storage, offset, sizes, strides, type) = (source.storage, source.offset, source.sizes, source.strides, source.dtype);
            old.LetGo();
        }

        private string DebugText => IsInvalid ? "disposed" : $"{Error.Shape(sizes)}, {type.name()}, {device}{(requires_grad ? ", requires_grad" : "")}";
    }

    /// <summary>An uninitialised tensor shaped like an existing description.</summary>
    internal static Tensor NewTensor(ReadOnlySpan<long> sizes, ScalarType dtype, Device device) => new(sizes, dtype, device);
}
