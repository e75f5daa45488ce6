using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Long short-term memory over a sequence (Hochreiter and Schmidhuber, 1997).</summary>
            /// <param name="batchFirst">Input and output are [batch, steps, size] instead of [steps, batch, size]; states never are.</param>
            /// <param name="dropout">Probability of dropping an output between layers, in training.</param>
            public static LSTM LSTM(long inputSize, long hiddenSize, long numLayers = 1, bool bias = true, bool batchFirst = false, double dropout = 0, bool bidirectional = false, Device? device = null, ScalarType? dtype = null) =>
                new(inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional, device, dtype);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>
    /// i, f, o = sigmoid(W x + U h + b), g = tanh(W x + U h + b), c' = f c + i g, h' = o tanh(c') for each step and layer. Input [steps, batch,
    /// input] gives the outputs [steps, batch, directions hidden] and the last states h and c, [layers directions, batch, hidden].
    /// </summary>
    public class LSTM : Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)>
    {
        private readonly RecurrentLayers layers;

        public LSTM(long inputSize, long hiddenSize, long numLayers = 1, bool bias = true, bool batchFirst = false, double dropout = 0, bool bidirectional = false, Device? device = null, ScalarType? dtype = null) : base(nameof(LSTM))
        {
            layers = new RecurrentLayers(nameof(LSTM), RecurrentMode.Lstm, inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional);
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

        /// <param name="input">[steps, batch, input] (batchFirst: [batch, steps, input]; without a batch [steps, input]).</param>
        /// <param name="h0_c0">States before the first step, [layers directions, batch, hidden] each; zeros if null.</param>
        /// <exception cref="ArgumentException">Shapes or dtypes do not fit; the text names both.</exception>
        public new (Tensor, Tensor, Tensor) call(Tensor input, (Tensor, Tensor)? h0_c0 = null) => base.call(input, h0_c0);

        /// <summary>The same for sequences of different lengths.</summary>
        public (nn.utils.rnn.PackedSequence, Tensor, Tensor) call(nn.utils.rnn.PackedSequence input, (Tensor, Tensor)? h0_c0 = null)
        {
            ArgumentNullException.ThrowIfNull(input);
            (nn.utils.rnn.PackedSequence y, Tensor h, Tensor? c) = layers.Run(input, h0_c0?.Item1, h0_c0?.Item2, training);
            return (y, h, c!);
        }

        public override (Tensor, Tensor, Tensor) forward(Tensor input, (Tensor, Tensor)? h0_c0 = null)
        {
            (Tensor y, Tensor h, Tensor? c) = layers.Run(input, h0_c0?.Item1, h0_c0?.Item2, training);
            return (y, h, c!);
        }

        public override string extra_repr() => layers.Text();
    }
}
