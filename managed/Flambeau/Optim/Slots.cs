using static Flambeau.torch;

namespace Flambeau.Modules;

/// <summary>Visits the named values of options or of a parameter's state: one list of names serves copying, comparing, moving and saving.</summary>
internal abstract class Slots
{
    internal abstract void Number(string name, ref double? value);

    internal abstract void Flag(string name, ref bool? value);

    internal abstract void Count(string name, ref long value);

    internal abstract void Value(string name, ref double value);

    internal abstract void Tensor(string name, ref Tensor? value);
}

/// <summary>Values into a dictionary, in the order of the names.</summary>
internal sealed class SlotReader : Slots
{
    internal OrderedDictionary<string, object?> Values { get; } = [];

    internal override void Number(string name, ref double? value) => Values[name] = value;

    internal override void Flag(string name, ref bool? value) => Values[name] = value;

    internal override void Count(string name, ref long value) => Values[name] = value;

    internal override void Value(string name, ref double value) => Values[name] = value;

    internal override void Tensor(string name, ref Tensor? value) => Values[name] = value;
}

/// <summary>Values out of a dictionary; tensors are copied, in the dtype and on the device of <paramref name="like"/>.</summary>
internal sealed class SlotWriter(OrderedDictionary<string, object?> values, bool onlyMissing, Tensor? like = null) : Slots
{
    internal override void Number(string name, ref double? value) => value = onlyMissing && value != null ? value : (double?)Of(name) ?? value;

    internal override void Flag(string name, ref bool? value) => value = onlyMissing && value != null ? value : (bool?)Of(name) ?? value;

    internal override void Count(string name, ref long value) => value = Of(name) is long n ? n : value;

    internal override void Value(string name, ref double value) => value = Of(name) is double x ? x : value;

    internal override void Tensor(string name, ref Tensor? value)
    {
        if (Of(name) is not Tensor t) value = null;
        else value = like is null ? t.detach().clone() : t.detach().to(like.dtype, like.device, copy: true);
    }

    private object? Of(string name) => values.TryGetValue(name, out object? value) ? value : null;
}

/// <summary>Moves the tensors to a device.</summary>
internal sealed class SlotMover(Device device) : Slots
{
    internal override void Number(string name, ref double? value) { }

    internal override void Flag(string name, ref bool? value) { }

    internal override void Count(string name, ref long value) { }

    internal override void Value(string name, ref double value) { }

    internal override void Tensor(string name, ref Tensor? value) => value = value?.to(device);
}

/// <summary>The settings of a group of parameters; those left null are the optimizer's.</summary>
public class OptimizerOptions
{
    private double? learningRate;
    private double? initialLearningRate;

    public double? LearningRate
    {
        get => learningRate;
        set => learningRate = value;
    }

    /// <summary>The learning rate from which schedules start: that of the time when the first one was made, if not set.</summary>
    public double InitialLearningRate
    {
        get => initialLearningRate ?? learningRate ?? 0;
        set => initialLearningRate = value;
    }

    internal bool HasInitialLearningRate => initialLearningRate != null;

    internal virtual void Visit(Slots slots) => slots.Number("lr", ref learningRate);

    internal OrderedDictionary<string, object?> Export()
    {
        var reader = new SlotReader();
        Visit(reader);
        if (HasInitialLearningRate) reader.Values["initial_lr"] = InitialLearningRate;
        return reader.Values;
    }

    internal void Import(OrderedDictionary<string, object?> values, bool onlyMissing)
    {
        Visit(new SlotWriter(values, onlyMissing));
        if (!onlyMissing && values.TryGetValue("initial_lr", out object? initial) && initial is double rate) InitialLearningRate = rate;
    }

    /// <summary>Takes over the values of another.</summary>
    public virtual void LoadStateDict(OptimizerOptions source)
    {
        ArgumentNullException.ThrowIfNull(source);
        Import(source.Export(), onlyMissing: false);
    }
}

/// <summary>What an optimizer remembers of one parameter.</summary>
public abstract class OptimizerState
{
    protected Parameter _parameter;
    private Device placed;

    protected OptimizerState(Parameter parameter)
    {
        _parameter = parameter;
        placed = parameter.device;
    }

    /// <summary>Moves to the parameter's device, if that has moved.</summary>
    internal void Follow()
    {
        if (_parameter.device == placed) return;
        to(_parameter.device);
        placed = _parameter.device;
    }

    internal Parameter Parameter => _parameter;

    internal abstract void Visit(Slots slots);

    internal OrderedDictionary<string, object?> Export()
    {
        var reader = new SlotReader();
        Visit(reader);
        return reader.Values;
    }

    internal void Import(OrderedDictionary<string, object?> values) => Visit(new SlotWriter(values, onlyMissing: false, _parameter));

    /// <summary>Takes over a copy of the values of another.</summary>
    public virtual void LoadStateDict(OptimizerState source)
    {
        ArgumentNullException.ThrowIfNull(source);
        Import(source.Export());
    }

    public virtual void to(Device device) => Visit(new SlotMover(device));

    /// <summary>Whether the values are those of another, to within 1e-5 relative and 1e-8 absolute.</summary>
    public virtual bool ApproximatelyEquals(OptimizerState other)
    {
        ArgumentNullException.ThrowIfNull(other);
        OrderedDictionary<string, object?> mine = Export(), theirs = other.Export();
        return mine.Count == theirs.Count && mine.All(kv => theirs.TryGetValue(kv.Key, out object? value) && Close(kv.Value, value));
    }

    private static readonly NativeOp Largest = NativeOp.Reduce("amax");

    private static bool Close(object? a, object? b)
    {
        if (a is not Tensor x || b is not Tensor y) return Equals(a, b);
        if (!x.sizes.AsSpan().SequenceEqual(y.sizes)) return false;
        if (x.numel() == 0) return true;
        using IDisposable mode = no_grad();
        Tensor far = (x - y) * (x - y) - (y * y * 1e-10 + 1e-16);
        return Reduction.Run(Largest, far.reshape(-1), 1, keepdim: false, far.dtype).to(ScalarType.Float64).item<double>() <= 0;
    }
}

/// <summary>Parameters that share settings.</summary>
public class ParamGroup : optim.ILearningRateController
{
    public ParamGroup() { }

    public IEnumerable<Parameter> Parameters { get; set; } = [];

    public OptimizerOptions Options { get; set; } = new();

    public double LearningRate
    {
        get => Options.LearningRate ?? 0;
        set => Options.LearningRate = value;
    }

    public double InitialLearningRate
    {
        get => Options.InitialLearningRate;
        set => Options.InitialLearningRate = value;
    }
}

public class ParamGroup<TOptions> : ParamGroup
    where TOptions : OptimizerOptions, new()
{
    public ParamGroup() => base.Options = new TOptions();

    public ParamGroup(IEnumerable<Parameter> parameters, TOptions? options = null)
    {
        Parameters = parameters;
        base.Options = options ?? new TOptions();
    }

    public new TOptions Options
    {
        get => (TOptions)base.Options;
        set => base.Options = value;
    }
}
