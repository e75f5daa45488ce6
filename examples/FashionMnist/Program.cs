using System.Globalization;
using Flambeau;
using Flambeau.Examples.FashionMnist;
using Flambeau.Modules;
using static Flambeau.torch;
using static Flambeau.torch.nn;

Options options;
torch.utils.data.Dataset trainSet, testSet;
Device device;
try
{
    options = Options.Parse(args);
    device = torch.device(options.Device);
    zeros([1], device: device);
    trainSet = torchvision.datasets.FashionMNIST(options.Data, train: true);
    testSet = torchvision.datasets.FashionMNIST(options.Data, train: false);
}
catch (Exception e) when (e is FormatException or ArgumentException or InvalidOperationException or IOException or InvalidDataException)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

manual_seed(options.Seed);
var net = new Network();
net.to(device);
Console.WriteLine(torch.utils.summary(net, 1, 1, 28, 28));
using DataLoader train = torch.utils.data.DataLoader(trainSet, options.BatchSize, shuffle: true, device: device, drop_last: true);
using DataLoader test = torch.utils.data.DataLoader(testSet, 500, device: device);
var optimizer = optim.Adam(net.parameters(), lr: 1e-3);
var schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr: 3e-3, total_steps: (int)(options.Epochs * train.Count));
List<double> losses = [], accuracies = [];

for (int epoch = 1; epoch <= options.Epochs; epoch++)
{
    net.train();
    Progress.Show($"epoch {epoch}/{options.Epochs}", train.Count * options.BatchSize, Steps());
    (double loss, double accuracy) = Evaluate(net);
    accuracies.Add(accuracy);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"epoch {epoch}: test loss {loss:F6}, test accuracy {100 * accuracy:F2}%"));
}

Directory.CreateDirectory(options.Out);
string weights = Path.Combine(options.Out, "model.safetensors");
net.save(weights);
var reloaded = new Network();
reloaded.load(weights);
reloaded.to(device);
(double Loss, double Accuracy) before = Evaluate(net), after = Evaluate(reloaded);
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"saved {weights}; reloaded: test loss {after.Loss:F6}, test accuracy {100 * after.Accuracy:F2}% ({(before == after ? "the same numbers" : "DIFFERENT numbers")})"));
Pictures.Loss(Path.Combine(options.Out, "loss.png"), losses, accuracies);
Sheet(Path.Combine(options.Out, "predictions.png"));
Console.WriteLine($"wrote {Path.Combine(options.Out, "loss.png")} and {Path.Combine(options.Out, "predictions.png")}");
return before == after ? 0 : 1;

IEnumerable<(long Seen, double Loss, double Accuracy)> Steps()
{
    long seen = 0, right = 0;
    double sum = 0;
    foreach (Dictionary<string, Tensor> batch in train)
    {
        Tensor x = batch["data"], label = batch["label"];
        optimizer.zero_grad();
        Tensor scores = net.call(x), loss = functional.cross_entropy(scores, label);
        loss.backward();
        optimizer.step();
        schedule.step();
        losses.Add(loss.item<float>());
        seen += x.size(0);
        sum += losses[^1] * x.size(0);
        right += scores.detach().argmax(1).eq(label).sum().item<long>();
        yield return (seen, sum / seen, (double)right / seen);
    }
}

(double Loss, double Accuracy) Evaluate(Network model)
{
    using IDisposable _ = no_grad();
    model.eval();
    double loss = 0;
    long right = 0;
    foreach (Dictionary<string, Tensor> batch in test)
    {
        Tensor scores = model.call(batch["data"]);
        loss += functional.cross_entropy(scores, batch["label"], reduction: Reduction.Sum).item<float>();
        right += scores.argmax(1).eq(batch["label"]).sum().item<long>();
    }
    return (loss / testSet.Count, (double)right / testSet.Count);
}

void Sheet(string path)
{
    using IDisposable _ = no_grad();
    net.eval();
    Tensor[] images = [.. Enumerable.Range(0, 60).Select(i => testSet.GetTensor(i)["data"])];
    long[] actual = [.. Enumerable.Range(0, 60).Select(i => testSet.GetTensor(i)["label"].item<long>())];
    Tensor batch = stack(images);
    Pictures.Predictions(path, batch, net.call(batch.to(device)).argmax(1).cpu().data<long>().ToArray(), actual);
}
