using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>A border of one value.</summary>
            public static ConstantPad1d ConstantPad1d(long padding, double value) => new(Windows.Same(padding, 2), value);

            public static ConstantPad1d ConstantPad1d((long, long) padding, double value) => new([padding.Item1, padding.Item2], value);

            /// <summary>A border of one value.</summary>
            public static ConstantPad2d ConstantPad2d(long padding, double value) => new(Windows.Same(padding, 4), value);

            public static ConstantPad2d ConstantPad2d((long, long, long, long) padding, double value) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4], value);

            /// <summary>A border of one value.</summary>
            public static ConstantPad3d ConstantPad3d(long padding, double value) => new(Windows.Same(padding, 6), value);

            public static ConstantPad3d ConstantPad3d((long, long, long, long, long, long) padding, double value) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4, padding.Item5, padding.Item6], value);

            /// <summary>A border of the mirrored input.</summary>
            public static ReflectionPad1d ReflectionPad1d(long padding) => new(Windows.Same(padding, 2));

            public static ReflectionPad1d ReflectionPad1d((long, long) padding) => new([padding.Item1, padding.Item2]);

            /// <summary>A border of the mirrored input.</summary>
            public static ReflectionPad2d ReflectionPad2d(long padding) => new(Windows.Same(padding, 4));

            public static ReflectionPad2d ReflectionPad2d((long, long, long, long) padding) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4]);

            /// <summary>A border of the mirrored input.</summary>
            public static ReflectionPad3d ReflectionPad3d(long padding) => new(Windows.Same(padding, 6));

            public static ReflectionPad3d ReflectionPad3d((long, long, long, long, long, long) padding) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4, padding.Item5, padding.Item6]);

            /// <summary>A border of the border elements.</summary>
            public static ReplicationPad1d ReplicationPad1d(long padding) => new(Windows.Same(padding, 2));

            public static ReplicationPad1d ReplicationPad1d((long, long) padding) => new([padding.Item1, padding.Item2]);

            /// <summary>A border of the border elements.</summary>
            public static ReplicationPad2d ReplicationPad2d(long padding) => new(Windows.Same(padding, 4));

            public static ReplicationPad2d ReplicationPad2d((long, long, long, long) padding) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4]);

            /// <summary>A border of the border elements.</summary>
            public static ReplicationPad3d ReplicationPad3d(long padding) => new(Windows.Same(padding, 6));

            public static ReplicationPad3d ReplicationPad3d((long, long, long, long, long, long) padding) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4, padding.Item5, padding.Item6]);

            /// <summary>A border of zeros.</summary>
            public static ZeroPad2d ZeroPad2d(long padding) => new(Windows.Same(padding, 4));

            public static ZeroPad2d ZeroPad2d((long, long, long, long) padding) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4]);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>Layers that put a border around the last dimensions: padding lists before and after, last dimension first.</summary>
    public abstract class PadBase : Module<Tensor, Tensor>
    {
        private readonly PaddingModes mode;

        private protected PadBase(string name, PaddingModes mode, double value, params long[] padding) : base(name)
        {
            this.mode = mode;
            this.value = value;
            this.padding = padding;
        }

        public long[] padding { get; set; }

        public double value { get; set; }

        public override Tensor forward(Tensor input) => functional.pad(input, padding, mode, value);

        public override string extra_repr() => this is ConstantPad1d or ConstantPad2d or ConstantPad3d ? $"padding={Repr.Of(padding)}, value={Repr.Number(value)}" : Repr.Of(padding);
    }

    /// <summary>A border of one value around the last dimension.</summary>
    public class ConstantPad1d(long[] padding, double value) : PadBase(nameof(ConstantPad1d), PaddingModes.Constant, value, padding)
    {
    }

    /// <summary>A border of one value around the last two dimensions.</summary>
    public class ConstantPad2d(long[] padding, double value) : PadBase(nameof(ConstantPad2d), PaddingModes.Constant, value, padding)
    {
    }

    /// <summary>A border of one value around the last three dimensions.</summary>
    public class ConstantPad3d(long[] padding, double value) : PadBase(nameof(ConstantPad3d), PaddingModes.Constant, value, padding)
    {
    }

    /// <summary>A border of the mirrored input around the last dimension.</summary>
    public class ReflectionPad1d(long[] padding) : PadBase(nameof(ReflectionPad1d), PaddingModes.Reflect, 0, padding)
    {
    }

    /// <summary>A border of the mirrored input around the last two dimensions.</summary>
    public class ReflectionPad2d(long[] padding) : PadBase(nameof(ReflectionPad2d), PaddingModes.Reflect, 0, padding)
    {
    }

    /// <summary>A border of the mirrored input around the last three dimensions.</summary>
    public class ReflectionPad3d(long[] padding) : PadBase(nameof(ReflectionPad3d), PaddingModes.Reflect, 0, padding)
    {
    }

    /// <summary>A border of the border elements around the last dimension.</summary>
    public class ReplicationPad1d(long[] padding) : PadBase(nameof(ReplicationPad1d), PaddingModes.Replicate, 0, padding)
    {
    }

    /// <summary>A border of the border elements around the last two dimensions.</summary>
    public class ReplicationPad2d(long[] padding) : PadBase(nameof(ReplicationPad2d), PaddingModes.Replicate, 0, padding)
    {
    }

    /// <summary>A border of the border elements around the last three dimensions.</summary>
    public class ReplicationPad3d(long[] padding) : PadBase(nameof(ReplicationPad3d), PaddingModes.Replicate, 0, padding)
    {
    }

    /// <summary>A border of zeros around the last two dimensions.</summary>
    public class ZeroPad2d(long[] padding) : PadBase(nameof(ZeroPad2d), PaddingModes.Constant, 0, padding)
    {
    }
}
