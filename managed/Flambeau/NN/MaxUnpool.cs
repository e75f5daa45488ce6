using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Puts the results of max pooling back where they came from, zeros elsewhere.</summary>
            public static MaxUnpool1d MaxUnpool1d(long kernel_size, long? stride = null, long? padding = null) => new(kernel_size, stride, padding);

            /// <summary>Puts the results of max pooling back where they came from, zeros elsewhere.</summary>
            public static MaxUnpool2d MaxUnpool2d(long kernel_size, long? stride = null, long? padding = null) =>
                new(Windows.Same(kernel_size, 2), Windows.Same(stride, 2), Windows.Same(padding, 2));

            public static MaxUnpool2d MaxUnpool2d((long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null) => new(Windows.Of(kernel_size), Windows.Maybe(stride), Windows.Maybe(padding));

            public static MaxUnpool2d MaxUnpool2d(long[] kernel_size, long[]? stride = null, long[]? padding = null) => new(kernel_size, stride, padding);

            /// <summary>Puts the results of max pooling back where they came from, zeros elsewhere.</summary>
            public static MaxUnpool3d MaxUnpool3d(long kernel_size, long? stride = null, long? padding = null) =>
                new(Windows.Same(kernel_size, 3), Windows.Same(stride, 3), Windows.Same(padding, 3));

            public static MaxUnpool3d MaxUnpool3d((long, long, long) kernel_size, (long, long, long)? stride = null, (long, long, long)? padding = null) => new(Windows.Of(kernel_size), Windows.Maybe(stride), Windows.Maybe(padding));

            public static MaxUnpool3d MaxUnpool3d(long[] kernel_size, long[]? stride = null, long[]? padding = null) => new(kernel_size, stride, padding);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>The inverse of max pooling as far as there is one: output_size settles what the stride leaves open.</summary>
    public class MaxUnpool1d(long kernel_size, long? stride = null, long? padding = null) : Module<Tensor, Tensor, long[]?, Tensor>(nameof(MaxUnpool1d))
    {
        public long kernel_size { get; set; } = kernel_size;

        public long? stride { get; set; } = stride;

        public long? padding { get; set; } = padding;

        public new Tensor call(Tensor tensor, Tensor indices, long[]? output_size = null) => base.call(tensor, indices, output_size);

        public override Tensor forward(Tensor tensor, Tensor indices, long[]? output_size = null) => functional.max_unpool1d(tensor, indices, kernel_size, stride, padding, output_size);

        public override string extra_repr() => $"kernel_size=({kernel_size},), stride=({stride ?? kernel_size},), padding=({padding ?? 0},)";
    }

    /// <summary>The inverse of max pooling as far as there is one: output_size settles what the stride leaves open.</summary>
    public class MaxUnpool2d(long[] kernel_size, long[]? stride = null, long[]? padding = null) : Module<Tensor, Tensor, long[]?, Tensor>(nameof(MaxUnpool2d))
    {
        public long[] kernel_size { get; set; } = kernel_size;

        public long[]? stride { get; set; } = stride;

        public long[]? padding { get; set; } = padding;

        public new Tensor call(Tensor tensor, Tensor indices, long[]? output_size = null) => base.call(tensor, indices, output_size);

        public override Tensor forward(Tensor tensor, Tensor indices, long[]? output_size = null) => functional.max_unpool2d(tensor, indices, kernel_size, stride, padding, output_size);

        public override string extra_repr() => $"kernel_size={Repr.Of(kernel_size)}, stride={Repr.Of(stride ?? kernel_size)}, padding={Repr.Of(padding ?? new long[2])}";
    }

    /// <summary>The inverse of max pooling as far as there is one: output_size settles what the stride leaves open.</summary>
    public class MaxUnpool3d(long[] kernel_size, long[]? stride = null, long[]? padding = null) : Module<Tensor, Tensor, long[]?, Tensor>(nameof(MaxUnpool3d))
    {
        public long[] kernel_size { get; set; } = kernel_size;

        public long[]? stride { get; set; } = stride;

        public long[]? padding { get; set; } = padding;

        public new Tensor call(Tensor tensor, Tensor indices, long[]? output_size = null) => base.call(tensor, indices, output_size);

        public override Tensor forward(Tensor tensor, Tensor indices, long[]? output_size = null) => functional.max_unpool3d(tensor, indices, kernel_size, stride, padding, output_size);

        public override string extra_repr() => $"kernel_size={Repr.Of(kernel_size)}, stride={Repr.Of(stride ?? kernel_size)}, padding={Repr.Of(padding ?? new long[3])}";
    }
}
