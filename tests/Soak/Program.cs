// Flat memory with nothing disposed, at full length: dotnet run -c Release --project tests/Soak
// Prints resident memory after the first tenth and at the end; exits 1 if it grew by 5 % or more.
using System.Diagnostics;
using static Flambeau.torch;

long iterations = args.Length > 0 ? long.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 1_000_000;
bool small = Watch("conv-relu-sum, small tensors", iterations, ConvReluSum());
bool large = Watch("MLP training steps, 64 MiB activations", Math.Min(300, iterations), Mlp());
return small && large ? 0 : 1;

static bool Watch(string name, long count, Action step)
{
    long early = 0;
    var clock = Stopwatch.StartNew();
    for (long i = 1; i <= count; i++)
    {
        step();
        if (i == count / 10) early = Environment.WorkingSet;
    }
    long end = Environment.WorkingSet;
    double growth = 100.0 * (end - early) / early;
    Console.WriteLine(FormattableString.Invariant($"{name}: {count} steps in {clock.Elapsed.TotalSeconds:F0} s; resident {early >> 20} MiB after a tenth, {end >> 20} MiB at the end ({growth:+0.0;-0.0} %)"));
    return growth < 5;
}

static Action ConvReluSum()
{
    var (w, x) = (randn([3, 3, 3, 3]).requires_grad_(), randn([2, 3, 8, 8]));
    return () =>
    {
        nn.functional.conv2d(x, w).relu().sum().backward();
        w.grad = null;
    };
}

static Action Mlp()
{
    // 4096 rows of 4096 float32: 64 MiB after each layer
    var net = nn.Sequential(nn.Linear(64, 4096), nn.ReLU(), nn.Linear(4096, 10));
    var optimizer = optim.SGD(net.parameters(), learningRate: 0.01);
    Flambeau.torch.Tensor x = randn([4096, 64]), y = randint(10, [4096]);
    return () =>
    {
        optimizer.zero_grad();
        nn.functional.cross_entropy(net.call(x), y).backward();
        optimizer.step();
    };
}
