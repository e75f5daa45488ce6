using static Flambeau.torch.nn;

namespace Flambeau.Modules;

/// <summary>Copies of layers for stacks of them.</summary>
internal static class Copies
{
    internal static Parameter Of(Parameter p) => new(p.detach().clone(), p.requires_grad);

    internal static Linear Of(Linear layer) => new(Of(layer.weight), layer.bias is null ? null : Of(layer.bias));

    internal static LayerNorm Of(LayerNorm layer)
    {
        var copy = new LayerNorm(layer.normalized_shape, layer.eps, false) { elementwise_affine = layer.elementwise_affine };
        if (layer.weight is not null) copy.weight = Of(layer.weight);
        if (layer.bias is not null) copy.bias = Of(layer.bias);
        return copy;
    }
}
