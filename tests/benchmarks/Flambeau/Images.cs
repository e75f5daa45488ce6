using Flambeau;
using static Flambeau.torch;

namespace Benchmarks.InFlambeau;

/// <summary>Images [1, 28, 28] normalised and, half of them, mirrored; labels [].</summary>
internal sealed class Images : utils.data.Dataset
{
    private readonly Tensor images; // uint8 [n, 1, 28, 28]
    private readonly Tensor labels; // int64 [n]

    internal Images()
    {
        (byte[] pixels, long[] classes) = Pictures.Load();
        images = tensor(pixels, [classes.Length, 1, 28, 28]);
        labels = tensor(classes);
    }

    public override long Count => labels.size(0);

    public override Dictionary<string, Tensor> GetTensor(long index)
    {
        Tensor image = images.select(0, index).to(float32).div_(255).sub_(Pictures.Mean).div_(Pictures.Deviation);
        return new() { ["data"] = Pictures.Mirrored(index) ? image.flip(-1) : image, ["label"] = labels.select(0, index) };
    }
}

internal sealed partial class Library
{
    public IWorkload Loading(int batch, int workers)
    {
        var images = new Images();
        return new Loading(utils.data.DataLoader(images, batch, num_worker: workers), utils.data.DataLoader(images, batch, shuffle: true, num_worker: workers));
    }
}
