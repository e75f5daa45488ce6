namespace Flambeau;

public static partial class torch
{
    public static Tensor clone(Tensor input) => input.clone();

    public partial class Tensor
    {
        /// <summary>A copy in fresh memory, in the graph. Dense layouts are kept.</summary>
        public Tensor clone()
        {
            Tensor y = Elementwise.Like(Live("clone"), dtype);
            Elementwise.Copy("clone", this, y);
            // dx = dy
            return Graph.Record("clone", y, [this], [], static (n, dy) => [dy]);
        }

        /// <summary>This tensor if its elements lie row by row, else a copy in which they do.</summary>
        public Tensor contiguous()
        {
            if (is_contiguous()) return Live("contiguous");
            var y = new Tensor(sizes, dtype, device);
            Elementwise.Copy("contiguous", this, y);
            // dx = dy
            return Graph.Record("contiguous", y, [this], [], static (n, dy) => [dy]);
        }

        /// <summary>Overwrites this tensor with the elements of source, broadcast and converted; source may be on another device.</summary>
        /// <param name="non_blocking">Do not wait for a copy between a GPU and page-locked memory.</param>
        public Tensor copy_(Tensor source, bool non_blocking = false)
        {
            Live("copy_");
            long[] common = Shapes.Broadcast("copy_", sizes, source.Live("copy_").sizes);
            if (!common.AsSpan().SequenceEqual(sizes))
                throw Error.Argument("copy_", $"shape {Error.Shape(source.sizes)} does not broadcast to {Error.Shape(sizes)}");
            if (!is_grad_enabled() || !(requires_grad || source.requires_grad))
            {
                Inplace.Check("copy_", this);
                Inplace.Write(this, source, non_blocking);
                return this;
            }
            // dself = 0, dsource = dy (summed and cast by the engine)
            return Inplace.Apply("copy_", this, [source], x =>
            {
                var y = new Tensor(x.sizes, x.dtype, x.device);
                Elementwise.Copy("copy_", source.detach().to(x.device), y);
                return Graph.Record("copy_", y, [source], [], static (n, dy) => [dy]);
            });
        }

        /// <summary>This tensor in another dtype; itself if it has it already and copy is false.</summary>
        public Tensor to(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false)
        {
            Live("to");
            if (type == dtype && !copy) return this;
            Tensor y = Elementwise.Like(this, type);
            Elementwise.Copy("to", this, y);
            // dx = dy in x's dtype (the engine casts)
            Graph.Record("to", y, [this], [], static (n, dy) => [dy]);
            if (disposeAfter) Dispose();
            return y;
        }

        /// <summary>This tensor on another device; itself if it is there already and copy is false.</summary>
        /// <param name="non_blocking">Do not wait for a copy from or to page-locked memory; after one to the CPU synchronise before reading.</param>
        /// <exception cref="InvalidOperationException">The device is not available; the text says why.</exception>
        public Tensor to(Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) => to(dtype, device, copy, disposeAfter, non_blocking);

        public Tensor to(string device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) => to(new Device(device), copy, disposeAfter, non_blocking);

        public Tensor to(DeviceType device, int deviceIndex = -1, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            to(new Device(device, deviceIndex), copy, disposeAfter, non_blocking);

        public Tensor to(ScalarType type, Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false)
        {
            ArgumentNullException.ThrowIfNull(device);
            if (device == Live("to").device) return to(type, copy, disposeAfter);
            Tensor y = Transfer.Moved("to", this, type, Available("to", device), non_blocking);
            // dx = dy in x's dtype on x's device (the engine casts and moves)
            Graph.Record("to", y, [this], [], static (n, dy) => [dy]);
            if (disposeAfter) Dispose();
            return y;
        }

        /// <summary>This tensor in the dtype and on the device of another.</summary>
        public Tensor to(Tensor other, bool copy = false, bool disposeAfter = false, bool non_blocking = false) => to(other.dtype, other.device, copy, disposeAfter, non_blocking);

        public Tensor to_type(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false) => to(type, copy, disposeAfter);

        public Tensor type_as(Tensor other) => to(other);

        /// <summary>This tensor on the CPU.</summary>
        public Tensor cpu() => to(CPU);

        public Tensor @float() => to(ScalarType.Float32);

        public Tensor @double() => to(ScalarType.Float64);

        public Tensor half() => to(ScalarType.Float16);

        public Tensor bfloat16() => to(ScalarType.BFloat16);

        public Tensor @long() => to(ScalarType.Int64);

        public Tensor @int() => to(ScalarType.Int32);

        public Tensor @bool() => to(ScalarType.Bool);

        public Tensor @byte() => to(ScalarType.Byte);

        public Tensor @short() => to(ScalarType.Int16);
    }
}
