using static Flambeau.torch;
using static Flambeau.torch.optim.lr_scheduler;

namespace Flambeau.Tests;

/// <summary>Thirty steps of each schedule over two groups, against PyTorch's.</summary>
public sealed class SchedulerTests
{
    private static readonly Dictionary<string, Func<optim.Optimizer, LRScheduler>> Kinds = new()
    {
        ["step"] = o => StepLR(o, 7, 0.3),
        ["multistep"] = o => MultiStepLR(o, [3, 9, 9, 20], 0.5),
        ["exponential"] = o => ExponentialLR(o, 0.93),
        ["constant"] = o => ConstantLR(o, 0.25, 6),
        ["linear"] = o => LinearLR(o, 0.2, 0.9, 11),
        ["polynomial"] = o => PolynomialLR(o, 20, 1.7),
        ["cosine"] = o => CosineAnnealingLR(o, 8, 0.01),
        ["lambda"] = o => LambdaLR(o, n => 1.0 / (1 + n)),
        ["multiplicative"] = o => MultiplicativeLR(o, n => 0.9 + 0.005 * n),
        ["restarts"] = o => CosineAnnealingWarmRestarts(o, 4, 2, 0.02),
        ["onecycle"] = o => OneCycleLR(o, 0.8, 30),
        ["onecycle_linear"] = o => OneCycleLR(o, 0.8, 30, anneal_strategy: impl.OneCycleLR.AnnealStrategy.Linear, three_phase: true),
        ["cyclic"] = o => CyclicLR(o, 0.1, 0.7, 4, 6),
        ["cyclic2"] = o => CyclicLR(o, 0.1, 0.7, 4, mode: impl.CyclicLR.Mode.Triangular2),
        ["cyclic_exp"] = o => CyclicLR(o, 0.1, 0.7, 5, mode: impl.CyclicLR.Mode.ExpRange, gamma: 0.95),
        ["chained"] = o => ChainedScheduler([ConstantLR(o, 0.1, 4), ExponentialLR(o, 0.9)]),
        ["sequential"] = o => SequentialLR(o, [LinearLR(o, 0.1, 1, 8), StepLR(o, 5, 0.5), ExponentialLR(o, 0.9)], [8, 20]),
    };

    private static IEnumerable<string> Names => Kinds.Keys;

    [TestCaseSource(nameof(Names))]
    public void FollowsPyTorch(string name)
    {
        Modules.SGD opt = optim.SGD(
            [new Modules.SGD.ParamGroup { Parameters = [nn.Parameter(zeros(1))] }, new Modules.SGD.ParamGroup([nn.Parameter(zeros(1))], new Modules.SGD.Options { LearningRate = 0.2 })],
            0.5, momentum: 0.9);
        LRScheduler schedule = Kinds[name](opt);
        var (rates, momenta) = (new List<double>(), new List<double>());
        for (int i = 0; i < 30; i++)
        {
            rates.AddRange(opt.ParamGroups.Select(g => g.LearningRate));
            momenta.Add(((optim.IMomentum)opt.ParamGroups.First()).Momentum);
            opt.step();
            if (i < 29) schedule.step();
        }
        Assert.That(rates, Is.EqualTo(Recorded.Of("schedule " + name)).Within(1e-12));
        if (Recorded.Names.Contains("momentum " + name)) Assert.That(momenta, Is.EqualTo(Recorded.Of("momentum " + name)).Within(1e-12));
        Assert.That(schedule.get_last_lr(), Is.EqualTo(opt.ParamGroups.Select(g => g.LearningRate)));
    }

    [Test]
    public void PlateauFollowsPyTorch()
    {
        Modules.SGD opt = optim.SGD([nn.Parameter(zeros(1))], 0.5);
        LRScheduler plateau = ReduceLROnPlateau(opt, factor: 0.5, patience: 2, cooldown: 2, min_lr: [0.05]);
        var rates = new List<double>();
        foreach (double loss in Recorded.Of("plateau losses"))
        {
            plateau.step(loss);
            rates.Add(opt.ParamGroups.First().LearningRate);
        }
        Assert.That(rates, Is.EqualTo(Recorded.Of("schedule plateau")).Within(1e-12));
        Assert.Throws<ArgumentException>(() => plateau.step());
    }

    [Test]
    public void OneCycleMovesAdamsBetaAndEndsWithAnError()
    {
        Modules.Adam opt = optim.Adam([nn.Parameter(zeros(1))]);
        LRScheduler schedule = OneCycleLR(opt, 0.1, total_steps: 10);
        Assert.That(((optim.IBetas)opt.ParamGroups.First()).Betas, Is.EqualTo((0.95, 0.999)));
        for (int i = 0; i < 10; i++) schedule.step();
        Assert.Throws<InvalidOperationException>(() => schedule.step());
        Assert.Throws<ArgumentException>(() => OneCycleLR(opt, 0.1));
        Assert.Throws<ArgumentException>(() => OneCycleLR(optim.Adagrad([nn.Parameter(zeros(1))]), 0.1, 10));
    }
}
