using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>One step of an LSTM.</summary>
            public static LSTMCell LSTMCell(long inputSize, long hiddenSize, bool bias = true, Device? device = null, ScalarType? dtype = null) => new(inputSize, hiddenSize, bias, device, dtype);

            /// <summary>One step of a GRU.</summary>
            public static GRUCell GRUCell(long inputSize, long hiddenSize, bool bias = true, Device? device = null, ScalarType? dtype = null) => new(inputSize, hiddenSize, bias, device, dtype);

            /// <summary>One step of a plain recurrent network.</summary>
            public static RNNCell RNNCell(long inputSize, long hiddenSize, NonLinearities nonLinearity = NonLinearities.Tanh, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
                new(inputSize, hiddenSize, nonLinearity, bias, device, dtype);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>Parameters of one step, as the cells have them: weight_ih [G hidden, input], weight_hh [G hidden, hidden], biases [G hidden].</summary>
    internal sealed class CellParameters(string name, long input, long hidden)
    {
        internal Parameter? WeightIh, WeightHh, BiasIh, BiasHh;

        internal void Register(torch.nn.Module owner, int gates, bool bias, Device? device, ScalarType? dtype)
        {
            if (input < 1 || hidden < 1) throw Error.Argument(name, $"input size {input} and hidden size {hidden} must be at least 1");
            owner.register_parameter("weight_ih", new Parameter(empty([gates * hidden, input], dtype, device)));
            owner.register_parameter("weight_hh", new Parameter(empty([gates * hidden, hidden], dtype, device)));
            if (bias)
            {
                owner.register_parameter("bias_ih", new Parameter(empty([gates * hidden], dtype, device)));
                owner.register_parameter("bias_hh", new Parameter(empty([gates * hidden], dtype, device)));
            }
            Reset();
        }

        internal void Reset()
        {
            double bound = 1 / Math.Sqrt(hidden);
            foreach (Parameter? p in new[] { WeightIh, WeightHh, BiasIh, BiasHh })
                if (p is not null) init.uniform_(p, -bound, bound);
        }

        internal void Note(string parameter, Parameter? value)
        {
            switch (parameter)
            {
                case "weight_ih": WeightIh = value; break;
                case "weight_hh": WeightHh = value; break;
                case "bias_ih": BiasIh = value; break;
                case "bias_hh": BiasHh = value; break;
            }
        }

        internal Tensor State(string what, Tensor? state, Tensor x)
        {
            long[] expected = [.. x.sizes[..^1], hidden];
            if (state is null) return zeros(expected, x.dtype, x.device);
            return state.sizes.AsSpan().SequenceEqual(expected) ? state : throw Error.Argument(name, $"{what} must have shape {Error.Shape(expected)}, not {Error.Shape(state.sizes)}");
        }

        internal Tensor OfInput(Tensor x)
        {
            if (x.rank is not (1 or 2) || x.sizes[^1] != input) throw Error.Argument(name, $"the input must be [batch, {input}] or [{input}], not {Error.Shape(x.sizes)}");
            return functional.linear(x, WeightIh!, BiasIh);
        }

        internal Tensor OfState(Tensor h) => functional.linear(h, WeightHh!, BiasHh);

        internal string Text(bool relu = false) => $"{input}, {hidden}{(BiasIh is null ? ", bias=False" : "")}{(relu ? ", nonlinearity=relu" : "")}";
    }

    /// <summary>
    /// i, f, o = sigmoid(W x + U h + b), g = tanh(W x + U h + b), c' = f c + i g, h' = o tanh(c'). Input [batch, input] and states [batch, hidden],
    /// or both without batch, give the next states.
    /// </summary>
    public class LSTMCell : Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor)>
    {
        private readonly CellParameters p;

        public LSTMCell(long inputSize, long hiddenSize, bool bias = true, Device? device = null, ScalarType? dtype = null) : base(nameof(LSTMCell))
        {
            p = new CellParameters(nameof(LSTMCell), inputSize, hiddenSize);
            p.Register(this, 4, bias, device, dtype);
        }

        public Parameter? weight_ih
        {
            get => p.WeightIh;
            set => register_parameter("weight_ih", value);
        }

        public Parameter? weight_hh
        {
            get => p.WeightHh;
            set => register_parameter("weight_hh", value);
        }

        public Parameter? bias_ih
        {
            get => p.BiasIh;
            set => register_parameter("bias_ih", value);
        }

        public Parameter? bias_hh
        {
            get => p.BiasHh;
            set => register_parameter("bias_hh", value);
        }

        public override void register_parameter(string name, Parameter? param)
        {
            base.register_parameter(name, param);
            p.Note(name, param);
        }

        public void reset_parameters() => p.Reset();

        /// <param name="h0_c0">States, zeros if null.</param>
        /// <exception cref="ArgumentException">Shapes do not fit.</exception>
        public new (Tensor, Tensor) call(Tensor input, (Tensor, Tensor)? h0_c0 = null) => base.call(input, h0_c0);

        public override (Tensor, Tensor) forward(Tensor input, (Tensor, Tensor)? h0_c0 = null)
        {
            Tensor x = p.OfInput(input), h = p.State("h0", h0_c0?.Item1, input), c = p.State("c0", h0_c0?.Item2, input);
            Tensor[] gates = (x + p.OfState(h)).chunk(4, -1); // [batch, hidden] each
            Tensor next = gates[1].sigmoid() * c + gates[0].sigmoid() * gates[2].tanh();
            return (gates[3].sigmoid() * next.tanh(), next);
        }

        public override string extra_repr() => p.Text();
    }

    /// <summary>What the cells whose state is one tensor share: GRUCell and RNNCell.</summary>
    public abstract class RecurrentCell : Module<Tensor, Tensor?, Tensor>
    {
        private protected readonly CellParameters p;

        private protected RecurrentCell(string name, int gates, long inputSize, long hiddenSize, bool bias, Device? device, ScalarType? dtype) : base(name)
        {
            p = new CellParameters(name, inputSize, hiddenSize);
            p.Register(this, gates, bias, device, dtype);
        }

        public Parameter? weight_ih
        {
            get => p.WeightIh;
            set => register_parameter("weight_ih", value);
        }

        public Parameter? weight_hh
        {
            get => p.WeightHh;
            set => register_parameter("weight_hh", value);
        }

        public Parameter? bias_ih
        {
            get => p.BiasIh;
            set => register_parameter("bias_ih", value);
        }

        public Parameter? bias_hh
        {
            get => p.BiasHh;
            set => register_parameter("bias_hh", value);
        }

        public override void register_parameter(string name, Parameter? param)
        {
            base.register_parameter(name, param);
            p.Note(name, param);
        }

        public void reset_parameters() => p.Reset();

        /// <param name="h0">The state, zeros if null.</param>
        /// <exception cref="ArgumentException">Shapes do not fit.</exception>
        public new Tensor call(Tensor input, Tensor? h0 = null) => base.call(input, h0);
    }

    /// <summary>
    /// r, z = sigmoid(W x + U h + b), n = tanh(W x + b + r (U h + b')), h' = (1 - z) n + z h. Input [batch, input] and state [batch, hidden], or
    /// both without batch, give the next state.
    /// </summary>
    public class GRUCell : RecurrentCell
    {
        public GRUCell(long inputSize, long hiddenSize, bool bias = true, Device? device = null, ScalarType? dtype = null) : base(nameof(GRUCell), 3, inputSize, hiddenSize, bias, device, dtype)
        {
        }

        public override Tensor forward(Tensor input, Tensor? h0 = null)
        {
            Tensor[] x = p.OfInput(input).chunk(3, -1); // [batch, hidden] each
            Tensor state = p.State("h0", h0, input);
            Tensor[] h = p.OfState(state).chunk(3, -1);
            Tensor n = (x[2] + (x[0] + h[0]).sigmoid() * h[2]).tanh();
            return n + (x[1] + h[1]).sigmoid() * (state - n);
        }

        public override string extra_repr() => p.Text();
    }

    /// <summary>h' = tanh(W x + U h + b), or relu. Input [batch, input] and state [batch, hidden], or both without batch, give the next state.</summary>
    public class RNNCell : RecurrentCell
    {
        private readonly NonLinearities nonLinearity;

        public RNNCell(long inputSize, long hiddenSize, NonLinearities nonLinearity = NonLinearities.Tanh, bool bias = true, Device? device = null, ScalarType? dtype = null) : base(nameof(RNNCell), 1, inputSize, hiddenSize, bias, device, dtype) => this.nonLinearity = nonLinearity;

        public override Tensor forward(Tensor input, Tensor? h0 = null)
        {
            Tensor s = p.OfInput(input) + p.OfState(p.State("h0", h0, input));
            return nonLinearity == NonLinearities.ReLU ? s.relu() : s.tanh();
        }

        public override string extra_repr() => p.Text(nonLinearity == NonLinearities.ReLU);
    }
}
