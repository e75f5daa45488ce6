using Flambeau.Modules;
using Flambeau.Utils;
using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Flambeau.Tests;

/// <summary>Components are found wherever they are kept, without being told.</summary>
public sealed class RegistrationTests
{
    private static Parameter Param(params long[] shape) => new(zeros(shape));

    private static string[] Keys(Module m) => [.. m.state_dict().Keys];

    private sealed class Fields : Module<Tensor, Tensor>
    {
        private readonly Module<Tensor, Tensor> first = Linear(2, 3);
        private Linear Second { get; } = Linear(3, 4, hasBias: false);
        [ComponentName(Name = "renamed")] private readonly IModule<Tensor, Tensor> third = Linear(1, 1);
        public Parameter scale = Param(2);
        private readonly Tensor constant = ones(3); // not a buffer: nobody registered it

        public override Tensor forward(Tensor input) => Second.call(first.call(input)) * constant.sum() + ((Module)third).parameters().Count();
    }

    [Test]
    public void FieldsAndPropertiesWithoutRegisterComponents()
    {
        Assert.That(Keys(new Fields()), Is.EqualTo(new[] { "scale", "first.weight", "first.bias", "Second.weight", "renamed.weight", "renamed.bias" }));
    }

    private class Base : Module<Tensor, Tensor>
    {
        private readonly Linear hidden = Linear(2, 2);

        public Base() : base("base") => RegisterComponents();

        public override Tensor forward(Tensor input) => hidden.call(input);
    }

    private sealed class Derived : Base
    {
        private readonly Linear added;
        private Tensor? mask;

        public Derived()
        {
            added = Linear(2, 5);
            mask = ones(2);
            RegisterComponents();
        }

        public void NewMask() => mask = zeros(4);

        public override Tensor forward(Tensor input) => added.call(base.forward(input)) * mask!.sum();
    }

    [Test]
    public void InheritedPrivateFieldsComeFirstAndExplicitRegistrationMakesTensorsBuffers()
    {
        var m = new Derived();
        Assert.That(Keys(m), Is.EqualTo(new[] { "mask", "hidden.weight", "hidden.bias", "added.weight", "added.bias" }));
        m.NewMask();
        Assert.That(m.get_buffer("mask")!.shape, Is.EqualTo(new long[] { 4 }));
    }

    private sealed class Collections : Module<Tensor, Tensor>
    {
        private readonly Linear[] array = [Linear(1, 2), Linear(2, 3)];
        private readonly List<Module<Tensor, Tensor>> list = [ReLU(), Linear(3, 4)];
        private readonly Dictionary<string, Linear> heads = new() { ["a"] = Linear(4, 1) };
        private readonly ModuleList<Linear> blocks = ModuleList(Linear(1, 1));
        private readonly List<Parameter> scales = [Param(1), Param(2)];
        private readonly Linear[] hidden = [Linear(9, 9)];
        private readonly Sequential sequence;

        public Collections() => sequence = Sequential(hidden);

        public void Grow() => list.Add(Linear(5, 6));

        public override Tensor forward(Tensor input) => sequence.call(array[0].call(heads["a"].call(blocks[0].call(input * scales[0]))));
    }

    [Test]
    public void ListsArraysAndDictionariesOfModules()
    {
        var m = new Collections();
        string[] expected =
        [
            "blocks.0.weight", "blocks.0.bias", "sequence.0.weight", "sequence.0.bias", "array.0.weight", "array.0.bias", "array.1.weight", "array.1.bias",
            "list.1.weight", "list.1.bias", "heads.a.weight", "heads.a.bias", "scales.0", "scales.1",
        ];
        Assert.That(Keys(m), Is.EquivalentTo(expected), "an array that a Sequential holds too is not counted twice");
        m.Grow();
        Assert.That(m.has_parameter("list.2.weight"));
        Assert.That(m.ToString(), Does.Contain("(array): ModuleList(").And.Contain("(heads): ModuleDict(").And.Contain("(scales): ParameterList("));
    }

    private sealed class Reassigned : Module<Tensor, Tensor>
    {
        public Linear? layer = Linear(2, 2);
        public Parameter? scale;
        public Tensor running = ones(1);

        public Reassigned() => register_buffer("running", running);

        public override Tensor forward(Tensor input) => layer!.call(input);
    }

    [Test]
    public void ReassignedFieldsAreNoticed()
    {
        var m = new Reassigned();
        Assert.That(m.parameters().Count(), Is.EqualTo(2));
        m.layer = Linear(2, 7, hasBias: false);
        m.scale = Param(3);
        m.running = zeros(5);
        Assert.That(Keys(m), Is.EqualTo(new[] { "scale", "running", "layer.weight" }));
        Assert.That(m.get_parameter("layer.weight")!.shape, Is.EqualTo(new long[] { 7, 2 }));
        Assert.That(m.get_buffer("running"), Is.SameAs(m.running));
        m.layer = null;
        Assert.That(m.children(), Is.Empty);
    }

    private sealed class Explicit : Module<Tensor, Tensor>
    {
        private readonly Linear[] layers;
        private readonly Linear tied;

        public Explicit()
        {
            layers = [Linear(1, 1), Linear(1, 1)];
            for (int i = 0; i < layers.Length; i++) register_module($"block{i}", layers[i]);
            tied = layers[0];
        }

        public override Tensor forward(Tensor input) => tied.call(layers[1].call(input));
    }

    [Test]
    public void ExplicitNamesWin() => Assert.That(new Explicit().named_children().Select(c => c.name), Is.EqualTo(new[] { "block0", "block1" }));

    private sealed class Tied : Module<Tensor, Tensor>
    {
        private readonly Embeddings embed = new();
        private readonly Linear head = Linear(4, 9, hasBias: false);

        public Tied() => head.weight = embed.weight;

        private sealed class Embeddings : Module<Tensor, Tensor>
        {
            public readonly Parameter weight = Param(9, 4);

            public override Tensor forward(Tensor input) => input;
        }

        public override Tensor forward(Tensor input) => head.call(embed.call(input));
    }

    [Test]
    public void SharedParametersAreCountedOnceButNamedTwiceInTheState()
    {
        Assert.That(new Tied().named_parameters().Select(p => p.name), Is.EqualTo(new[] { "embed.weight" }));
        Assert.That(Keys(new Tied()), Is.EqualTo(new[] { "embed.weight", "head.weight" }));
    }

    private sealed class Generic<T>(T inner) : Module<Tensor, Tensor>
        where T : Module<Tensor, Tensor>
    {
        public override Tensor forward(Tensor input) => inner.call(input);
    }

    [Test]
    public void PrimaryConstructorParametersCount() => Assert.That(Keys(new Generic<Linear>(Linear(1, 2))), Is.EqualTo(new[] { "inner.weight", "inner.bias" }));

    private sealed class Cyclic : Module<Tensor, Tensor>
    {
        public Module? other;

        public override Tensor forward(Tensor input) => input;
    }

    [Test]
    public void ACycleIsAnExceptionNotACrash()
    {
        var a = new Cyclic();
        a.other = new Cyclic { other = a };
        Assert.Throws<InsufficientExecutionStackException>(() => a.state_dict());
        Assert.That(a.parameters(), Is.Empty);
    }

    [Test]
    public void NamesAreChecked()
    {
        var m = new Fields();
        Assert.Throws<ArgumentException>(() => m.register_module("", Linear(1, 1)));
        Assert.Throws<ArgumentException>(() => m.register_parameter("a.b", Param(1)));
        Assert.Throws<ArgumentException>(() => m.register_buffer("scale2.x", ones(1)));
        Assert.Throws<ArgumentException>(() => m.register_module("x", m));
    }
}
