using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Benchmarks.InTorchSharp;

internal sealed partial class Library
{
    public IWorkload EncoderLayerStep()
    {
        TransformerEncoderLayer model = TransformerEncoderLayer(256, 8, 1024, dropout: 0);
        Tensor x = Data(1, 128, 8, 256), target = Data(2, 128, 8, 256);
        return new Training(model, optim.AdamW(model.parameters(), 1e-4), () => functional.mse_loss(model.call(x), target), x, target);
    }

    public IWorkload LstmGradients()
    {
        LSTM model = LSTM(128, 256);
        Tensor x = Data(1, 64, 16, 128), dy = Data(2, 64, 16, 256);
        return new ForwardBackward(() => model.call(x).Item1, dy, [.. model.parameters()], model);
    }
}
