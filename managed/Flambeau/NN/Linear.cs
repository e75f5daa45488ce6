using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>y = x W^T + b over the last dimension.</summary>
            public static Linear Linear(long inputSize, long outputSize, bool hasBias = true, Device? device = null, ScalarType? dtype = null) => new(inputSize, outputSize, hasBias, device, dtype);

            public static Linear Linear(Parameter weight, Parameter? bias = null) => new(weight, bias);

            /// <summary>y = x1^T W x2 + b over the last dimensions.</summary>
            public static Bilinear Bilinear(long in1_features, long in2_features, long out_features, bool hasBias = true, Device? device = null, ScalarType? dtype = null) =>
                new(in1_features, in2_features, out_features, hasBias, device, dtype);

            /// <summary>Passes its input on.</summary>
            public static Identity Identity() => new();
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>y = x W^T + b; x [..., in], W [out, in], b [out].</summary>
    public class Linear : WeightedModule
    {
        public Linear(long inputSize, long outputSize, bool hasBias = true, Device? device = null, ScalarType? dtype = null) : base(nameof(Linear))
        {
            in_features = inputSize;
            out_features = outputSize;
            weight = new Parameter(empty([outputSize, inputSize], dtype, device));
            if (hasBias) bias = new Parameter(empty([outputSize], dtype, device));
            reset_parameters();
        }

        public Linear(Parameter weight, Parameter? bias = null) : base(nameof(Linear))
        {
            ArgumentNullException.ThrowIfNull(weight);
            if (weight.rank != 2) throw Error.Argument("Linear", $"the weight must be a matrix, not of shape {Error.Shape(weight.sizes)}");
            in_features = weight.sizes[1];
            out_features = weight.sizes[0];
            this.weight = weight;
            this.bias = bias;
        }

        public long in_features { get; set; }

        public long out_features { get; set; }

        public void reset_parameters() => init.LayerDefault(weight, bias);

        public override Tensor forward(Tensor input) => functional.linear(input, weight, bias);

        public override string extra_repr() => $"in_features={in_features}, out_features={out_features}, bias={Repr.Of(bias is not null)}";
    }

    /// <summary>y_k = x1^T W_k x2 + b_k; W [out, in1, in2].</summary>
    public class Bilinear : Module<Tensor, Tensor, Tensor>
    {
        private Parameter _weight;
        private Parameter? _bias;

        public Bilinear(long in1_features, long in2_features, long out_features, bool hasBias = true, Device? device = null, ScalarType? dtype = null) : base(nameof(Bilinear))
        {
            this.in1_features = in1_features;
            this.in2_features = in2_features;
            this.out_features = out_features;
            weight = _weight = new Parameter(empty([out_features, in1_features, in2_features], dtype, device));
            bias = hasBias ? new Parameter(empty([out_features], dtype, device)) : null;
            reset_parameters();
        }

        public long in1_features { get; set; }

        public long in2_features { get; set; }

        public long out_features { get; set; }

        public Parameter weight
        {
            get => _weight;
            set => register_parameter("weight", _weight = value);
        }

        public Parameter? bias
        {
            get => _bias;
            set => register_parameter("bias", _bias = value);
        }

        public void reset_parameters()
        {
            double bound = 1 / Math.Sqrt(in1_features);
            init.uniform_(_weight, -bound, bound);
            if (_bias is not null) init.uniform_(_bias, -bound, bound);
        }

        public override Tensor forward(Tensor input1, Tensor input2) => functional.bilinear(input1, input2, _weight, _bias);

        public override string extra_repr() => $"in1_features={in1_features}, in2_features={in2_features}, out_features={out_features}, bias={Repr.Of(_bias is not null)}";
    }

    /// <summary>Passes its input on.</summary>
    public class Identity : Module<Tensor, Tensor>
    {
        public override Tensor forward(Tensor input) => input;
    }
}
