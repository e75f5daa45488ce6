using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>A plain recurrent network over a sequence (Elman, 1990).</summary>
            /// <param name="batchFirst">Input and output are [batch, steps, size] instead of [steps, batch, size]; states never are.</param>
            /// <param name="dropout">Probability of dropping an output between layers, in training.</param>
            public static RNN RNN(long inputSize, long hiddenSize, long numLayers = 1, NonLinearities nonLinearity = NonLinearities.Tanh, bool bias = true, bool batchFirst = false, double dropout = 0, bool bidirectional = false, Device? device = null, ScalarType? dtype = null) =>
                new(inputSize, hiddenSize, numLayers, nonLinearity, bias, batchFirst, dropout, bidirectional, device, dtype);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>
    /// h' = tanh(W x + U h + b), or relu, for each step and layer. Input [steps, batch, input]
    /// gives the outputs [steps, batch, directions hidden] and the last states, [layers directions, batch, hidden].
    /// </summary>
    public class RNN : Module<Tensor, Tensor?, (Tensor, Tensor)>
    {
        private readonly RecurrentLayers layers;

        public RNN(long inputSize, long hiddenSize, long numLayers = 1, NonLinearities nonLinearity = NonLinearities.Tanh, bool bias = true, bool batchFirst = false, double dropout = 0, bool bidirectional = false, Device? device = null, ScalarType? dtype = null) : base(nameof(RNN))
        {
            layers = new RecurrentLayers(nameof(RNN), nonLinearity == NonLinearities.ReLU ? RecurrentMode.Relu : RecurrentMode.Tanh, inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional);
            layers.Register(this, device, dtype);
        }

        public override void register_parameter(string name, Parameter? param)
        {
            base.register_parameter(name, param);
            layers.Note(name, param);
        }

        public void reset_parameters() => layers.Reset();

        /// <summary>Does nothing: the weights are read where they lie.</summary>
        public void flatten_parameters() { }

        /// <summary>Weights of layer * directions + direction.</summary>
        public Parameter? get_weight_ih(long idx) => layers.Get(idx, 0);

        public Parameter? get_weight_hh(long idx) => layers.Get(idx, 1);

        public Parameter? get_bias_ih(long idx) => layers.Get(idx, 2);

        public Parameter? get_bias_hh(long idx) => layers.Get(idx, 3);

        /// <param name="input">[steps, batch, input] (batchFirst: [batch, steps, input]; without a batch [steps, input]).</param>
        /// <param name="h0">States before the first step, [layers directions, batch, hidden]; zeros if null.</param>
        /// <exception cref="ArgumentException">Shapes or dtypes do not fit; the text names both.</exception>
        public new (Tensor, Tensor) call(Tensor input, Tensor? h0 = null) => base.call(input, h0);

        /// <summary>The same for sequences of different lengths.</summary>
        public (nn.utils.rnn.PackedSequence, Tensor) call(nn.utils.rnn.PackedSequence input, Tensor? h0 = null)
        {
            ArgumentNullException.ThrowIfNull(input);
            (nn.utils.rnn.PackedSequence y, Tensor h, _) = layers.Run(input, h0, null, training);
            return (y, h);
        }

        public override (Tensor, Tensor) forward(Tensor input, Tensor? h0 = null)
        {
            (Tensor y, Tensor h, _) = layers.Run(input, h0, null, training);
            return (y, h);
        }

        public override string extra_repr() => layers.Text();
    }
}
