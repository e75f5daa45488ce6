using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Modules;

/// <summary>A layer of one input with parameters named weight and bias.</summary>
public abstract class WeightedModule : Module<Tensor, Tensor>
{
    private Parameter? _weight;
    private Parameter? _bias;

    private protected WeightedModule(string name) : base(name) { }

    /// <summary>Null only in layers that were told to have none.</summary>
    public Parameter weight
    {
        get => _weight!;
        set => register_parameter("weight", value);
    }

    public Parameter? bias
    {
        get => _bias;
        set => register_parameter("bias", value);
    }

    /// <summary>A parameter put in by name is the one that forward uses.</summary>
    public override void register_parameter(string name, Parameter? param)
    {
        base.register_parameter(name, param);
        if (name == "weight") _weight = param;
        if (name == "bias") _bias = param;
    }
}
