using TorchSharp;
using static TorchSharp.torch;

namespace Benchmarks.InTorchSharp;

/// <summary>A model's state as plain arrays. Tensors are disposed, by hand or by scope, as TorchSharp wants it.</summary>
internal abstract class Workload(nn.Module? model) : IWorkload
{
    public long Parameters => model?.parameters().Sum(p => p.numel()) ?? 0;

    public Dictionary<string, float[]> State() => model is null ? [] : model.state_dict().ToDictionary(s => s.Key, s => Floats(s.Value));

    public void Load(IReadOnlyDictionary<string, float[]> state)
    {
        if (model is null) return;
        using IDisposable _ = no_grad();
        using DisposeScope scope = NewDisposeScope();
        foreach ((string name, Tensor t) in model.state_dict()) t.copy_(tensor(state[name], t.shape));
    }

    public abstract Dictionary<string, float[]> Results();

    public abstract void Run(int steps);

    public virtual void Dispose() => model?.Dispose();

    protected static float[] Floats(Tensor t)
    {
        using DisposeScope scope = NewDisposeScope();
        return [.. t.detach().to(float32).contiguous().data<float>()];
    }
}

/// <summary>An operation or a model without gradients.</summary>
internal sealed class Forward(Func<Tensor> op, Tensor[] data, nn.Module? model = null) : Workload(model)
{
    public override Dictionary<string, float[]> Results()
    {
        using IDisposable _ = no_grad();
        using DisposeScope scope = NewDisposeScope();
        return new() { ["output"] = Floats(op()) };
    }

    public override void Run(int steps)
    {
        using IDisposable _ = no_grad();
        if (Parameters == 0)
        {
            for (int i = 0; i < steps; i++) op().Dispose(); // cheaper than a scope where there is one tensor
            return;
        }
        for (int i = 0; i < steps; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            op();
        }
    }

    public override void Dispose()
    {
        foreach (Tensor t in data) t.Dispose();
        base.Dispose();
    }
}

/// <summary>An operation and its gradients for a given gradient of the output.</summary>
internal sealed class ForwardBackward(Func<Tensor> op, Tensor dy, IList<Tensor> inputs, nn.Module? model = null) : Workload(model)
{
    public override Dictionary<string, float[]> Results()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor y = op();
        Dictionary<string, float[]> results = new() { ["output"] = Floats(y) };
        IList<Tensor> gradients = autograd.grad([y], inputs, [dy]);
        for (int i = 0; i < gradients.Count; i++) results[$"gradient {i}"] = Floats(gradients[i]);
        return results;
    }

    public override void Run(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            autograd.grad([op()], inputs, [dy]);
        }
    }

    public override void Dispose()
    {
        dy.Dispose();
        foreach (Tensor t in inputs) t.Dispose();
        base.Dispose();
    }
}

/// <summary>Training steps: gradients to zero, forward, backward, optimizer.</summary>
internal sealed class Training(nn.Module model, optim.Optimizer optimizer, Func<Tensor> loss, params Tensor[] data) : Workload(model)
{
    private readonly nn.Module model = model;

    public override Dictionary<string, float[]> Results()
    {
        Dictionary<string, float[]> results = [];
        for (int i = 1; i <= 3; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            results[$"loss of step {i}"] = Floats(Step());
            if (i > 1) continue;
            foreach ((string name, TorchSharp.Modules.Parameter p) in model.named_parameters()) results[$"gradient of {name}"] = Floats(p.grad!);
        }
        return results;
    }

    public override void Run(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            Step();
        }
    }

    public override void Dispose()
    {
        optimizer.Dispose();
        foreach (Tensor t in data) t.Dispose();
        base.Dispose();
    }

    private Tensor Step()
    {
        optimizer.zero_grad();
        Tensor value = loss();
        value.backward();
        optimizer.step();
        return value;
    }
}

/// <summary>Passes over a data loader; the first is compared, in order, and the timed ones are shuffled.</summary>
internal sealed class Loading(TorchSharp.Modules.DataLoader ordered, TorchSharp.Modules.DataLoader shuffled) : Workload(null)
{
    public override Dictionary<string, float[]> Results()
    {
        List<float> sums = [], labels = [];
        foreach (Dictionary<string, Tensor> batch in ordered)
        {
            using DisposeScope scope = NewDisposeScope();
            sums.AddRange(Floats(batch["data"].sum([1L, 2L, 3L])));
            labels.AddRange(Floats(batch["label"]));
        }
        return new() { ["sums of the images"] = [.. sums], ["labels"] = [.. labels] };
    }

    public override void Run(int steps)
    {
        for (int i = 0; i < steps; i++)
            foreach (Dictionary<string, Tensor> _ in shuffled) { } // the loader disposes each batch
    }

    public override void Dispose()
    {
        ordered.Dispose();
        shuffled.Dispose();
    }
}
