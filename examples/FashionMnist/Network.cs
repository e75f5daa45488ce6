using Flambeau.Modules;
using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Examples.FashionMnist;

/// <summary>Two convolutions and two linear layers: 421,642 parameters. Input [batch, 1, 28, 28], output [batch, 10] scores.</summary>
internal sealed class Network : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1 = Conv2d(1, 32, 3, padding: 1);
    private readonly Conv2d conv2 = Conv2d(32, 64, 3, padding: 1);
    private readonly MaxPool2d pool = MaxPool2d(2);
    private readonly Dropout dropout = Dropout(0.25);
    private readonly Linear hidden = Linear(64 * 7 * 7, 128);
    private readonly Linear output = Linear(128, 10);

    public Network()
        : base("fashion")
    {
    }

    public override Tensor forward(Tensor x)
    {
        x = pool.call(functional.relu(conv1.call(x))); // [batch, 32, 14, 14]
        x = pool.call(functional.relu(conv2.call(x))); // [batch, 64, 7, 7]
        x = functional.relu(hidden.call(dropout.call(x.flatten(1))));
        return output.call(x);
    }
}
