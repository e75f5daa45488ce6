using static Flambeau.torch;
using static Flambeau.torch.nn;
using static Flambeau.torch.nn.utils.rnn;

namespace Flambeau.Modules;

/// <summary>Layers and directions of an RNN, LSTM or GRU, and their parameters under PyTorch's names.</summary>
internal sealed class RecurrentLayers
{
    private static readonly string[] Kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];

    private readonly string name;
    private readonly RecurrentMode mode;
    private readonly Dictionary<string, int> places = [];
    private readonly Parameter?[] parameters; // [layers * directions, 4]

    internal RecurrentLayers(string name, RecurrentMode mode, long input, long hidden, long layers, bool bias, bool batchFirst, double dropout, bool bidirectional)
    {
        if (input < 1 || hidden < 1 || layers < 1) throw Error.Argument(name, $"input size {input}, hidden size {hidden} and number of layers {layers} must be at least 1");
        if (dropout is not (>= 0 and <= 1)) throw Error.Argument(name, $"the probability of dropout must be from 0 to 1, not {dropout}");
        (this.name, this.mode, Input, Hidden, Layers, Bias, BatchFirst, Dropout) = (name, mode, input, hidden, layers, bias, batchFirst, dropout);
        Directions = bidirectional ? 2 : 1;
        parameters = new Parameter?[layers * Directions * Kinds.Length];
        for (int i = 0; i < parameters.Length; i++) places[Name(i)] = i;
    }

    internal long Input { get; }

    internal long Hidden { get; }

    internal long Layers { get; }

    internal int Directions { get; }

    internal bool Bias { get; }

    internal bool BatchFirst { get; }

    internal double Dropout { get; }

    // weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_ih_l0_reverse, ...
    private string Name(int i) => $"{Kinds[i % 4]}_l{i / 4 / Directions}{(i / 4 % Directions == 1 ? "_reverse" : "")}";

    internal void Register(torch.nn.Module owner, Device? device, ScalarType? dtype)
    {
        long wide = Recurrent.Gates(mode) * Hidden;
        for (int i = 0; i < parameters.Length; i++)
        {
            long columns = i % 4 == 0 ? i / 4 < Directions ? Input : Hidden * Directions : Hidden;
            if (i % 4 < 2) owner.register_parameter(Name(i), new Parameter(empty([wide, columns], dtype, device)));
            else if (Bias) owner.register_parameter(Name(i), new Parameter(empty([wide], dtype, device)));
        }
        Reset();
    }

    /// <summary>Evenly in +-1 / sqrt(hidden), in the order of the parameters.</summary>
    internal void Reset()
    {
        double bound = 1 / Math.Sqrt(Hidden);
        foreach (Parameter? p in parameters)
            if (p is not null) init.uniform_(p, -bound, bound);
    }

    internal void Note(string parameter, Parameter? value)
    {
        if (places.TryGetValue(parameter, out int i)) parameters[i] = value;
    }

    internal Parameter? Get(long index, int kind) => index >= 0 && index < Layers * Directions
        ? parameters[index * 4 + kind]
        : throw Error.Range(name, $"there is no layer and direction {index} of {Layers * Directions}");

    /// <summary>Outputs of the last layer and the last states of all, in the layout of the input.</summary>
    internal (Tensor Y, Tensor H, Tensor? C) Run(Tensor input, Tensor? h0, Tensor? c0, bool training)
    {
        Check(input);
        bool single = input.rank == 2;
        Tensor x = single ? input.unsqueeze(1) : BatchFirst ? input.transpose(0, 1) : input; // [steps, batch, input]
        Tensor? h = Start("h0", h0, x, x.sizes[1], single), c = Start("c0", c0, x, x.sizes[1], single);
        (Tensor y, h, c) = Stack(x, h, c, training, (a, i, hi, ci) => Recurrent.Run(name, mode, Share(a, i), Weight(i), Last(i), hi, ci, Reverse(i)));
        return (single ? y.squeeze(1) : BatchFirst ? y.transpose(0, 1) : y, single ? h!.squeeze(1) : h!, single ? c?.squeeze(1) : c);
    }

    /// <summary>The same for sequences of different lengths; states are in the order in which they were packed.</summary>
    internal (PackedSequence Y, Tensor H, Tensor? C) Run(PackedSequence input, Tensor? h0, Tensor? c0, bool training)
    {
        Check(input.data.rank == 2 ? input.data : throw Error.Argument(name, $"the packed data must be [rows, input], not {Error.Shape(input.data.sizes)}"));
        Tensor? h = Start("h0", h0, input.data, input.Lengths.Length, false), c = Start("c0", c0, input.data, input.Lengths.Length, false);
        if (input.sorted_indices is { } order) (h, c) = (h?.index_select(1, order), c?.index_select(1, order));
        (Tensor y, h, c) = Stack(input.data, h, c, training, (a, i, hi, ci) => Packed(input, a, i, hi, ci));
        if (input.unsorted_indices is { } back) (h, c) = (h!.index_select(1, back), c?.index_select(1, back));
        return (input.With(y), h!, c);
    }

    private delegate (Tensor Y, Tensor H, Tensor? C) OneLayer(Tensor x, int i, Tensor? h0, Tensor? c0);

    // Layer upon layer; i counts layers and directions.
    private (Tensor Y, Tensor H, Tensor? C) Stack(Tensor x, Tensor? h0, Tensor? c0, bool training, OneLayer run)
    {
        int count = (int)Layers * Directions;
        var (hs, cs) = (new Tensor[count], new Tensor?[count]);
        for (int layer = 0; layer < Layers; layer++)
        {
            if (layer > 0 && Dropout > 0) x = functional.dropout(x, Dropout, training);
            var parts = new Tensor[Directions];
            for (int d = 0; d < Directions; d++)
            {
                int i = layer * Directions + d;
                (parts[d], hs[i], cs[i]) = run(x, i, h0?.select(0, i), c0?.select(0, i));
            }
            x = parts.Length == 1 ? parts[0] : cat(parts, -1);
        }
        return (x, stack(hs, 0), cs[0] is null ? null : stack(cs!, 0)); // [layers * directions, batch, hidden]
    }

    // Padded, with each sequence turned round for the reverse direction. The padding's gates keep an LSTM's c: i = 0, f = 1.
    private (Tensor, Tensor, Tensor?) Packed(PackedSequence like, Tensor x, int i, Tensor? h0, Tensor? c0)
    {
        long batch = like.Lengths.Length, rows = x.sizes[0], wide = Recurrent.Gates(mode) * Hidden;
        Tensor Index(long[] at) => tensor(at, ScalarType.Int64, x.device);
        Tensor padding = zeros([1, wide], x.dtype, x.device);
        if (mode == RecurrentMode.Lstm)
        {
            padding.narrow(1, 0, Hidden).fill_(double.NegativeInfinity);
            padding.narrow(1, Hidden, Hidden).fill_(double.PositiveInfinity);
        }
        Tensor gates = cat([Share(x, i), padding], 0).index_select(0, Index(like.Rows(rows, Reverse(i)))).reshape(like.Steps, batch, wide);
        (Tensor y, _, Tensor? c) = Recurrent.Run(name, mode, gates, Weight(i), Last(i), h0, c0, reverse: false);
        Tensor flat = y.reshape(-1, Hidden);
        var last = new long[batch];
        for (int b = 0; b < batch; b++) last[b] = (like.Lengths[b] - 1) * batch + b;
        return (flat.index_select(0, Index(like.Places(Reverse(i)))), flat.index_select(0, Index(last)), c);
    }

    private bool Reverse(int i) => i % Directions == 1;

    private Tensor Weight(int i) => parameters[4 * i + 1]!;

    // A GRU's n sees its state's bias apart.
    private Tensor? Last(int i) => mode == RecurrentMode.Gru ? parameters[4 * i + 3]?.narrow(0, 2 * Hidden, Hidden) : null;

    // The input's share of all pre-activations, biases included: one product for all steps.
    private Tensor Share(Tensor x, int i)
    {
        Tensor? bias = parameters[4 * i + 2], state = parameters[4 * i + 3];
        if (mode == RecurrentMode.Gru && state is not null) state = functional.pad(state.narrow(0, 0, 2 * Hidden), [0, Hidden]);
        return functional.linear(x, parameters[4 * i]!, bias is null ? state : state is null ? bias : bias + state);
    }

    private void Check(Tensor x)
    {
        string layout = BatchFirst ? "[batch, steps, input]" : "[steps, batch, input]";
        if (x.rank is not (2 or 3)) throw Error.Argument(name, $"the input must be {layout}, or [steps, input] without a batch, not {Error.Shape(x.sizes)}");
        if (x.sizes[^1] != Input) throw Error.Argument(name, $"the input {Error.Shape(x.sizes)} must be {layout} with an input size of {Input}");
        if (x.sizes[x.rank == 3 && BatchFirst ? 1 : 0] == 0) throw Error.Argument(name, $"the sequence is empty: {Error.Shape(x.sizes)} as {layout}");
        Parameter w = parameters[0]!;
        if (x.dtype != w.dtype) throw Error.Argument(name, $"the input is of {x.dtype.name()}, the weights are of {w.dtype.name()}");
        Elementwise.SameDevice(name, x, w);
    }

    private Tensor? Start(string what, Tensor? state, Tensor x, long batch, bool single)
    {
        if (state is null) return null;
        long[] expected = single ? [Layers * Directions, Hidden] : [Layers * Directions, batch, Hidden];
        if (!state.sizes.AsSpan().SequenceEqual(expected)) throw Error.Argument(name, $"{what} must have shape {Error.Shape(expected)}, not {Error.Shape(state.sizes)}");
        if (state.dtype != x.dtype) throw Error.Argument(name, $"{what} is of {state.dtype.name()}, the input of {x.dtype.name()}");
        Elementwise.SameDevice(name, x, state);
        return single ? state.unsqueeze(1) : state;
    }

    internal string Text() => $"{Input}, {Hidden}"
        + (Layers != 1 ? $", num_layers={Layers}" : "") + (Bias ? "" : ", bias=False") + (BatchFirst ? ", batch_first=True" : "")
        + (Dropout != 0 ? $", dropout={Repr.Number(Dropout)}" : "") + (Directions == 2 ? ", bidirectional=True" : "");
}
