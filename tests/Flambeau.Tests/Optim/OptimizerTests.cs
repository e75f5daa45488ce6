using Flambeau.Modules;
using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Twelve steps of each optimizer on sum(sin(a p) + (p - b)^2 / 2), against PyTorch's.</summary>
public sealed class OptimizerTests
{
    private static readonly Dictionary<string, Func<Parameter[], optim.Optimizer>> Kinds = new()
    {
        ["sgd"] = p => optim.SGD(p, 0.1),
        ["sgd_decay"] = p => optim.SGD(p, 0.1, weight_decay: 0.05),
        ["sgd_momentum"] = p => optim.SGD(p, 0.05, momentum: 0.9, dampening: 0.1),
        ["sgd_nesterov"] = p => optim.SGD(p, 0.05, momentum: 0.9, weight_decay: 0.01, nesterov: true),
        ["sgd_maximize"] = p => optim.SGD(p, 0.01, momentum: 0.5, maximize: true),
        ["adam"] = p => optim.Adam(p, 0.1),
        ["adam_amsgrad"] = p => optim.Adam(p, 0.1, 0.8, 0.9, 1e-6, weight_decay: 0.1, amsgrad: true),
        ["adam_maximize"] = p => optim.Adam(p, 0.01, maximize: true),
        ["adamw"] = p => optim.AdamW(p, 0.1, weight_decay: 0.2),
        ["adamw_amsgrad"] = p => optim.AdamW(p, 0.1, amsgrad: true),
        ["rmsprop"] = p => optim.RMSProp(p, 0.05),
        ["rmsprop_full"] = p => optim.RMSProp(p, 0.02, alpha: 0.9, weight_decay: 0.1, momentum: 0.8, centered: true),
        ["adagrad"] = p => optim.Adagrad(p, 0.5, lr_decay: 0.1, weight_decay: 0.1, initial_accumulator_value: 0.2),
        ["adadelta"] = p => optim.Adadelta(p, 2.0, rho: 0.8, weight_decay: 0.1),
        ["adamax"] = p => optim.Adamax(p, 0.1, weight_decay: 0.1),
        ["nadam"] = p => optim.NAdam(p, 0.1, weight_decay: 0.1),
        ["radam"] = p => optim.RAdam(p, 0.1, weight_decay: 0.1),
        ["asgd"] = p => optim.ASGD(p, 0.1, t0: 5, weight_decay: 0.1),
        ["rprop"] = p => optim.Rprop(p, 0.05),
    };

    private static IEnumerable<string> Names => Kinds.Keys;

    private static Tensor Problem(string name) => name.EndsWith('0') ? Recorded.Tensor("problem " + name, 3, 5) : Recorded.Tensor("problem " + name);

    private static void Step(optim.Optimizer opt, Parameter[] p, Tensor[] a, Tensor[] b, bool skip = false)
    {
        opt.zero_grad();
        Tensor loss = zeros(1);
        for (int i = 0; i < 2; i++) loss = loss + ((a[i] * p[i]).sin() + (p[i] - b[i]) * (p[i] - b[i]) / 2).sum();
        loss.sum().backward();
        if (skip) p[1].grad = null;
        opt.step();
    }

    private static (Parameter[] P, Tensor[] A, Tensor[] B) Start() =>
        ([nn.Parameter(Problem("p0")), nn.Parameter(Problem("p1"))], [Problem("a0"), Problem("a1")], [Problem("b0"), Problem("b1")]);

    [TestCaseSource(nameof(Names))]
    public void FollowsPyTorch(string name)
    {
        var (p, a, b) = Start();
        optim.Optimizer opt = Kinds[name](p);
        for (int step = 0; step < 12; step++) Step(opt, p, a, b, skip: step == 4);
        for (int i = 0; i < 2; i++)
        {
            // A few rounding errors of float32 per step.
            double[] expected = Recorded.Of($"optim {name} p{i}");
            Assert.That(p[i].data<float>().ToArray().Select(v => (double)v), Is.EqualTo(expected).Within(1e-5), $"parameter {i}");
        }
    }

    [TestCaseSource(nameof(Names))]
    public void ContinuesFromASavedState(string name)
    {
        var (p, a, b) = Start();
        optim.Optimizer opt = Kinds[name](p);
        for (int step = 0; step < 3; step++) Step(opt, p, a, b);
        Parameter[] copy = [.. p.Select(x => nn.Parameter(x.detach().clone()))];
        optim.Optimizer second = Kinds[name](copy);
        second.load_state_dict(opt.state_dict());
        Assert.That(opt.state_dict().State.Zip(second.state_dict().State).All(s => s.First.ApproximatelyEquals(s.Second)));
        for (int step = 0; step < 3; step++)
        {
            Step(opt, p, a, b);
            Step(second, copy, a, b);
        }
        for (int i = 0; i < 2; i++) Assert.That(copy[i].data<float>().ToArray(), Is.EqualTo(p[i].data<float>().ToArray()));
    }

    [TestCase("sgd_nesterov")]
    [TestCase("adam_amsgrad")]
    [TestCase("rmsprop_full")]
    public void StridedAndMixedParametersStepAsContiguousOnes(string name)
    {
        var (p, a, b) = Start();
        Parameter strided = nn.Parameter(p[0].detach().transpose(0, 1).clone().contiguous().transpose(0, 1));
        Assert.That(strided.is_contiguous(), Is.False);
        Parameter wide = nn.Parameter(p[1].detach().to(float64));
        optim.Optimizer plain = Kinds[name](p), odd = Kinds[name]([strided, wide]);
        for (int step = 0; step < 3; step++)
        {
            Step(plain, p, a, b);
            odd.zero_grad();
            ((a[0] * strided).sin() + (strided - b[0]) * (strided - b[0]) / 2).sum().backward();
            ((a[1] * wide).sin() + (wide - b[1]) * (wide - b[1]) / 2).sum().backward();
            odd.step();
        }
        Assert.That(strided.contiguous().data<float>().ToArray(), Is.EqualTo(p[0].data<float>().ToArray()).Within(1e-5));
        Assert.That(wide.data<double>().ToArray(), Is.EqualTo(p[1].data<float>().ToArray().Select(v => (double)v)).Within(1e-4));
    }

    [Test]
    public void GroupsHaveSettingsOfTheirOwn()
    {
        Parameter fast = nn.Parameter(ones(2)), slow = nn.Parameter(ones(2));
        SGD opt = optim.SGD([new SGD.ParamGroup { Parameters = [fast] }, new SGD.ParamGroup([slow], new SGD.Options { LearningRate = 0.1 })], 1.0, weight_decay: 0.5);
        fast.grad = ones(2);
        slow.grad = ones(2);
        opt.step();
        Assert.That(fast.data<float>().ToArray(), Is.All.EqualTo(-0.5f));
        Assert.That(slow.data<float>().ToArray(), Is.All.EqualTo(0.85f));
        foreach (optim.ILearningRateController g in opt.ParamGroups) g.LearningRate = 0;
        opt.step();
        Assert.That(fast.data<float>().ToArray(), Is.All.EqualTo(-0.5f));
        Assert.Throws<ArgumentException>(() => opt.add_param_group(new SGD.ParamGroup { Parameters = [fast] }));
        Assert.Throws<ArgumentException>(() => optim.SGD(Array.Empty<Parameter>(), 0.1));
        Assert.Throws<ArgumentException>(() => optim.Adam([slow], beta1: 1));
    }

    [Test]
    public void StepRunsTheClosureAndReturnsItsLoss()
    {
        Parameter p = nn.Parameter(ones(3));
        SGD opt = optim.SGD([p], 0.5);
        Tensor loss = opt.step(() =>
        {
            opt.zero_grad();
            Tensor l = (p * p).sum();
            l.backward();
            return l;
        })!;
        Assert.That(loss.item<float>(), Is.EqualTo(3f));
        Assert.That(p.data<float>().ToArray(), Is.All.Zero);
    }

    [Test]
    public void ASavedTensorNoticesTheStep()
    {
        Parameter p = nn.Parameter(ones(2));
        Tensor y = (p * p).sum();
        p.grad = ones(2);
        optim.Adam([p]).step();
        Assert.Throws<InvalidOperationException>(() => y.backward());
    }
}
