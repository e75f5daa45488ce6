// Times whole training steps on CUDA, one JSON line each: Steps [--smoke] [--device cuda|cpu] [part of a name]
using System.Diagnostics;
using System.Globalization;
using Flambeau;
using Flambeau.GpuSteps;
using Flambeau.Modules;
using static Flambeau.torch;

bool smoke = args.Contains("--smoke");
string device = args.SkipWhile(a => a != "--device").Skip(1).FirstOrDefault() ?? "cuda";
string filter = args.Where((a, i) => !a.StartsWith("--", StringComparison.Ordinal) && (i == 0 || args[i - 1] != "--device")).FirstOrDefault() ?? "";
if (device == "cuda" && !cuda.is_available())
{
    Console.Error.WriteLine("no CUDA: " + cuda.why_not());
    return 1;
}
manual_seed(0);
foreach (Workload work in Workload.All(device, smoke).Where(w => w.Name.Contains(filter)))
{
    Tensor loss = zeros(1);
    var optimizer = optim.AdamW(work.Model.parameters(), lr: 1e-4);
    void Step()
    {
        optimizer.zero_grad();
        loss = work.Loss();
        loss.backward();
        optimizer.step();
    }
    void Wait()
    {
        if (device == "cuda") cuda.synchronize();
    }

    Measure("step " + work.Name, Step, Wait);
    if (device != "cuda") continue;
    // Forward and backward as one graph, the optimizer's step count changes and stays outside.
    void Gradients()
    {
        foreach (Parameter p in work.Model.parameters()) p.grad?.zero_();
        loss = work.Loss();
        loss.backward();
    }
    var stream = new cuda.Stream();
    stream.wait_stream(cuda.current_stream());
    using (cuda.stream(stream))
        for (int i = 0; i < 2; i++) Gradients();
    cuda.current_stream().wait_stream(stream);
    var graph = new cuda.CUDAGraph();
    using (cuda.graph(graph)) Gradients();
    void Replay()
    {
        graph.replay();
        optimizer.step();
    }
    Measure("graphed " + work.Name, Replay, Wait);
}
return 0;

void Measure(string name, Action step, Action wait)
{
    int warm = smoke ? 1 : 5, repeats = smoke ? 1 : 5;
    for (int i = 0; i < warm; i++) step();
    wait();
    var clock = Stopwatch.StartNew();
    step();
    wait();
    int steps = smoke ? 1 : (int)Math.Clamp(0.4 / clock.Elapsed.TotalSeconds, 3, 200);
    List<double> times = [];
    for (int r = 0; r < repeats; r++)
    {
        clock.Restart();
        for (int i = 0; i < steps; i++) step();
        wait();
        times.Add(clock.Elapsed.TotalMicroseconds / steps);
    }
    times.Sort();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{{\"name\": \"{name}\", \"us\": {times[times.Count / 2]:F1}}}"));
}
