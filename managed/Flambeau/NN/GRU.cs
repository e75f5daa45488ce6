using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Gated recurrent units over a sequence (Cho et al., 2014).</summary>
            /// <param name="batchFirst">Input and output are [batch, steps, size] instead of [steps, batch, size]; states never are.</param>
            /// <param name="dropout">Probability of dropping an output between layers, in training.</param>
            public static GRU GRU(long inputSize, long hiddenSize, long numLayers = 1, bool bias = true, bool batchFirst = false, double dropout = 0, bool bidirectional = false, Device? device = null, ScalarType? dtype = null) =>
                new(inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional, device, dtype);
        }
    }
}

namespace Flambeau.Modules
{
    using static torch;
    using static torch.nn;

    /// <summary>
    /// r, z = sigmoid(W x + U h + b), n = tanh(W x + b + r (U h + b')), h' = (1 - z) n + z h for each step and layer. Input [steps, batch, input]
    /// gives the outputs [steps, batch, directions hidden] and the last states, [layers directions, batch, hidden].
    /// </summary>
    public class GRU : Module<Tensor, Tensor?, (Tensor, Tensor)>
    {
        private readonly RecurrentLayers layers;

        public GRU(long inputSize, long hiddenSize, long numLayers = 1, bool bias = true, bool batchFirst = false, double dropout = 0, bool bidirectional = false, Device? device = null, ScalarType? dtype = null) : base(nameof(GRU))
        {
            layers = new RecurrentLayers(nameof(GRU), RecurrentMode.Gru, inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional);
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
