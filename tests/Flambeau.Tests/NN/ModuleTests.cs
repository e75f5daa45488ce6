using Flambeau.Modules;
using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

public sealed class ModuleTests
{
    private static Sequential Net() => Sequential(("first", Linear(3, 4)), ("act", ReLU()), ("inner", Sequential(Linear(4, 4), Tanh())), ("last", Linear(4, 2, hasBias: false)));

    [Test]
    public void ReprIsPyTorchs()
    {
        const string expected = """
            Sequential(
              (first): Linear(in_features=3, out_features=4, bias=True)
              (act): ReLU()
              (inner): Sequential(
                (0): Linear(in_features=4, out_features=4, bias=True)
                (1): Tanh()
              )
              (last): Linear(in_features=4, out_features=2, bias=False)
            )
            """;
        Assert.That(Net().ToString(), Is.EqualTo(expected.ReplaceLineEndings("\n")));
        Assert.That(LeakyReLU(0.2, inplace: true).ToString(), Is.EqualTo("LeakyReLU(negative_slope=0.2, inplace=True)"));
        Assert.That(MaxPool2d(2).ToString(), Is.EqualTo("MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"));
        Assert.That(Hardtanh(-1, 2).ToString(), Is.EqualTo("Hardtanh(min_val=-1.0, max_val=2.0)"));
    }

    [Test]
    public void WalksFollowTheTree()
    {
        Sequential net = Net();
        Assert.That(net.named_modules().Select(m => m.name), Is.EqualTo(new[] { "first", "act", "inner", "last", "inner.0", "inner.1" }));
        Assert.That(net.named_parameters().Select(p => p.name), Is.EqualTo(new[] { "first.weight", "first.bias", "inner.0.weight", "inner.0.bias", "last.weight" }));
        Assert.That(net.parameters(recurse: false), Is.Empty);
        Assert.That(net.get_submodule("inner.0"), Is.SameAs(((Sequential)net[2])[0]));
        Assert.That(net.get_parameter("inner.0.bias"), Is.SameAs(((Linear)((Sequential)net[2])[0]).bias));
        Assert.That(net.get_parameter("inner.7.bias"), Is.Null);
        Assert.Throws<ArgumentException>(() => net.get_submodule("inner.2"));
        Assert.That(net[^1], Is.SameAs(net[3]));
        Assert.That(net[1..3].named_children().Select(c => c.name), Is.EqualTo(new[] { "act", "inner" }));
        var order = new List<string>();
        net.apply(m => order.Add(m.GetName()));
        Assert.That(order, Is.EqualTo(new[] { "Linear", "ReLU", "Linear", "Tanh", "Sequential", "Linear", "Sequential" }));
        net.eval();
        Assert.That(net.modules().Any(m => m.training), Is.False);
        net.train();
        Assert.That(net.get_submodule("inner.1").training);
    }

    [Test]
    public void LoadReportsEverythingAtOnceAndChangesNothing()
    {
        Sequential net = Net(), other = Net();
        Dictionary<string, Tensor> state = other.state_dict();
        Assert.That(net.load_state_dict(state), Is.EqualTo((Array.Empty<string>(), Array.Empty<string>())));
        Assert.That(net.get_parameter("first.weight")!.data<float>().ToArray(), Is.EqualTo(other.get_parameter("first.weight")!.data<float>().ToArray()));

        state.Remove("first.bias");
        state["surplus"] = ones(1);
        state["last.weight"] = ones(9);
        float[] before = net.get_parameter("first.weight")!.data<float>().ToArray();
        state["first.weight"] = zeros(4, 3);
        string text = Assert.Throws<InvalidOperationException>(() => net.load_state_dict(state))!.Message;
        Assert.That(text, Does.Contain("first.bias").And.Contain("surplus").And.Contain("last.weight").And.Contain("[9]").And.Contain("[2, 4]"));
        Assert.That(net.get_parameter("first.weight")!.data<float>().ToArray(), Is.EqualTo(before));

        var (missing, unexpected) = net.load_state_dict(state, strict: false, skip: ["last.weight"]);
        Assert.That(missing, Is.EqualTo(new[] { "first.bias" }));
        Assert.That(unexpected, Is.EqualTo(new[] { "surplus" }));
    }

    [Test]
    public void StateSharesMemoryOutsideTheGraph()
    {
        Linear layer = Linear(2, 2);
        Tensor w = layer.state_dict()["weight"];
        Assert.That(w.requires_grad, Is.False);
        w.zero_();
        Assert.That(layer.weight.data<float>().ToArray(), Is.All.Zero);
    }

    [Test]
    public void ConversionKeepsIdentityAndGradients()
    {
        Linear layer = Linear(3, 2);
        Parameter weight = layer.weight;
        layer.call(ones(1, 3)).sum().backward();
        Assert.That(layer.to(float64), Is.SameAs(layer));
        Assert.That(layer.weight, Is.SameAs(weight));
        Assert.That(weight.dtype, Is.EqualTo(float64));
        Assert.That(weight.grad!.dtype, Is.EqualTo(float64));
        layer.call(ones([1, 3], float64)).sum().backward();
        Assert.That(weight.grad!.data<double>().ToArray(), Is.All.EqualTo(2.0));
        Assert.Throws<ArgumentException>(() => layer.to(int32));
        layer.zero_grad();
        Assert.That(weight.grad, Is.Null);
    }

    [Test]
    public void ForwardHooksRunByCallAndCanChangeValues()
    {
        Linear layer = Linear(2, 2);
        var log = new List<string>();
        HookRemover first = layer.register_forward_pre_hook((m, x) => { log.Add("pre"); return x * 0; });
        HookRemover second = layer.register_forward_hook((m, x, y) => { log.Add("post"); return y + 1; });
        layer.register_forward_hook(m => log.Add("any"));
        float[] y = layer.call(ones(1, 2)).data<float>().ToArray(), bias = layer.bias!.data<float>().ToArray();
        Assert.That(y, Is.EqualTo(bias.Select(b => b + 1)));
        Assert.That(log, Is.EqualTo(new[] { "pre", "any", "post" }));
        layer.forward(ones(1, 2));
        Assert.That(log, Has.Count.EqualTo(3));
        first.remove();
        second.remove();
        layer.call(ones(1, 2));
        Assert.That(log, Has.Count.EqualTo(4));
    }

    [Test]
    public void BackwardHooksSeeAndReplaceGradients()
    {
        Linear layer = Linear(3, 2);
        Tensor x = ones([1, 3], requires_grad: true);
        Tensor?[] seenIn = [], seenOut = [];
        layer.register_full_backward_hook((m, gradInput, gradOutput) =>
        {
            (seenIn, seenOut) = (gradInput, gradOutput);
            return [gradInput[0]! * 10];
        });
        (layer.call(x) * 2).sum().backward();
        Assert.That(seenOut[0]!.data<float>().ToArray(), Is.All.EqualTo(2f));
        Assert.That(x.grad!.data<float>().ToArray(), Is.EqualTo(seenIn[0]!.data<float>().ToArray().Select(g => g * 10)));
        Assert.That(layer.weight.grad!.data<float>().ToArray(), Is.All.EqualTo(2f));
    }

    [Test]
    public void BackwardHooksRunWithoutInputGradients()
    {
        Linear layer = Linear(3, 2);
        int calls = 0;
        layer.register_full_backward_hook((m, gradInput, gradOutput) => { calls += gradInput.Length == 1 && gradInput[0] is null && gradOutput[0] is not null ? 1 : 0; });
        layer.call(ones(1, 3)).sum().backward();
        Assert.That(calls, Is.EqualTo(1));
    }

    [Test]
    public void ListsAndDictionariesKeepTheirNames()
    {
        var list = ModuleList(Linear(1, 1), Linear(1, 2));
        list.Insert(0, Linear(1, 3));
        list.RemoveAt(1);
        Assert.That(list.named_parameters().Select(p => p.name), Is.EqualTo(new[] { "0.weight", "0.bias", "1.weight", "1.bias" }));
        Assert.That(list[1].out_features, Is.EqualTo(2));
        var dict = ModuleDict(("x", Linear(1, 1)), ("y", Linear(1, 2)));
        dict["x"] = Linear(1, 5);
        Assert.That(dict.Remove("y"));
        Assert.That(dict.named_children().Select(c => c.name), Is.EqualTo(new[] { "x" }));
        Assert.That(dict["x"].out_features, Is.EqualTo(5));
        ParameterList parameters = ParameterList(Parameter(ones(1)), Parameter(ones(2)));
        parameters.Remove(parameters[0]);
        Assert.That(parameters.state_dict()["0"].shape, Is.EqualTo(new long[] { 2 }));
        Assert.That(ParameterDict(("w", Parameter(ones(3)))).named_parameters().Single().name, Is.EqualTo("w"));
    }

    [Test]
    public void SequentialTakesEveryForm()
    {
        Module<Tensor, Tensor>[] parts = [Linear(2, 2), ReLU()];
        Assert.That(Sequential(parts).Count, Is.EqualTo(2));
        Assert.That(Sequential(parts.ToList()).Count, Is.EqualTo(2));
        Assert.That(Sequential(parts.Select((p, i) => ($"p{i}", p))).named_children().First().name, Is.EqualTo("p0"));
        Assert.That(Sequential(Tuple.Create("t", parts[0])).named_children().First().name, Is.EqualTo("t"));
        Assert.That(Sequential().append(ReLU()).append("x", Tanh()).named_children().Select(c => c.name), Is.EqualTo(new[] { "0", "x" }));
        Assert.Throws<ArgumentException>(() => Sequential(("a", parts[0]), ("a", parts[1])));
    }

    private sealed class Residual(params Module[] parts) : Sequential<Tensor, Tensor, Tensor>(parts)
    {
        public override Tensor forward(Tensor x, Tensor scale)
        {
            foreach (Module m in children()) x = x + ((IModule<Tensor, Tensor>)m).call(x) * scale;
            return x;
        }
    }

    [Test]
    public void SequentialOfSeveralInputsIsWrittenByHand()
    {
        var net = new Residual(Linear(2, 2), Tanh());
        net.append(Linear(2, 2));
        Assert.That(net.named_parameters().Select(p => p.name), Is.EqualTo(new[] { "0.weight", "0.bias", "2.weight", "2.bias" }));
        Assert.That(net.call(ones(1, 2), zeros(1)).data<float>().ToArray(), Is.All.EqualTo(1f));
        Assert.That(net[-1], Is.InstanceOf<Linear>());
    }
}
