using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>First and second derivatives of the ops on shapes and indices, against central differences with a random cotangent.</summary>
[NonParallelizable]
public sealed class ShapeGradientTests
{
    private static Tensor wide => tensor([[2L, 0L, 2L, 1L], [0L, 0L, 3L, 3L], [1L, 3L, 0L, 1L]]);
    private static Tensor mask => tensor([[true, false, true, true], [false, false, true, false], [true, true, false, false]]);
    private static Tensor some => tensor([2L, 0L, 2L]);

    private static IEnumerable<TestCaseData> OfOne()
    {
        (string, Func<Tensor, Tensor>)[] cases =
        [
            ("flatten", x => x.flatten()), ("unflatten", x => x.unflatten(1, 2, 2)), ("movedim", x => x.movedim(0, 1)), ("T", x => x.T),
            ("squeeze_", x => (x * 2).unsqueeze_(0).squeeze_(0).transpose_(0, 1)),
            ("flip", x => x.flip(0, 1)), ("rot90", x => x.rot90(1)), ("roll", x => x.roll(1, 1)), ("roll flat", x => x.roll(5)),
            ("repeat", x => x.repeat(2, 1, 3)), ("tile", x => x.tile(2)), ("repeat_interleave", x => x.repeat_interleave(2, 0)),
            ("repeat_interleave tensor", x => x.repeat_interleave(tensor([1L, 0L, 3L]), 0)),
            ("split", x => x.split(3, 1)[0] * x.split(3, 1)[0]), ("chunk", x => x.chunk(2, 1)[1]), ("unbind", x => x.unbind(0)[1]),
            ("cat", x => cat([x, x * x], 1)), ("stack", x => stack([x, x * x], 1)), ("meshgrid", x => meshgrid(x[0], x[1])[0] * meshgrid(x[0], x[1])[1]),
            ("tril", x => x.tril(1)), ("triu", x => x.triu()), ("tril_", x => (x * x).tril_()), ("diag", x => x.diag()), ("diagonal", x => x.diagonal(1)),
            ("diag_embed", x => x.diag_embed(1)), ("block_diag", x => block_diag(x, x[0])), ("diagonal_scatter", x => x.diagonal_scatter(x[..3, 0])),
            ("select_scatter", x => x.select_scatter(x[1] * x[0], 0, 0)), ("slice_scatter", x => x.slice_scatter(x[.., ..2] * 3, 1, 0, 4, 2)),
            ("select", x => x[1]), ("slice", x => x[.., 1..3]), ("step", x => x[.., TensorIndex.Slice(0, null, 2)]), ("none", x => x[TensorIndex.None, 1]),
            ("index", x => x[some]), ("index second", x => x[.., some]), ("index both", x => x[tensor([0L, 2L]), tensor([3L, -1L])]), ("mask", x => x[mask]),
            ("set row", x => Put(x, y => y[0] = x[1] * x[2])), ("set index", x => Put(x, y => y[.., tensor([0L, 3L])] = x[.., 1..3] * x[.., ..2])),
            ("set mask", x => Put(x, y => y[mask] = x.reshape(-1)[..6])), ("set number", x => Put(x, y => y[mask] = 5.0)),
            ("accumulate", x => x.index_put([some], x * x, accumulate: true)),
            ("gather", x => x.gather(1, wide)), ("scatter", x => x.scatter(1, tensor([[2L, 0L], [1L, 3L], [0L, 1L]]), (x * x)[.., ..2])),
            ("scatter_add", x => x.scatter_add(1, wide, x * x)), ("take_along_dim", x => take_along_dim(x, wide, 1)),
            ("index_select", x => x.index_select(1, some)), ("index_add", x => x.index_add(1, some, (x * x)[.., ..3], 2)),
            ("index_copy", x => x.index_copy(1, tensor([2L, 0L]), (x * x)[.., ..2])), ("index_fill", x => x.index_fill(1, some, 3)),
            ("index_add_", x => (x * 1).index_add_(1, some, (x * x)[.., ..3])), ("take", x => x.take(tensor([[0L, -1L], [5L, 0L]]))),
            ("masked_fill", x => x.masked_fill(mask, 2)), ("masked_fill tensor", x => x.masked_fill(mask, x[0, 0])), ("masked_fill_", x => (x * x).masked_fill_(mask, 2)),
            ("masked_select", x => x.masked_select(mask)), ("masked_scatter", x => x.masked_scatter(mask, x * x)),
            ("sort", x => x.sort(1).Values), ("topk", x => x.topk(2).values), ("kthvalue", x => x.kthvalue(2, 1).values),
            ("scatter_reduce mean", x => x.scatter_reduce(1, wide, x * x, "mean")), ("scatter_reduce amax", x => x.scatter_reduce(1, wide, x * x, "amax")),
            ("scatter_reduce amin", x => x.scatter_reduce(1, wide, x * x, "amin", false)), ("scatter_reduce prod", x => x.scatter_reduce(1, wide, x + 2, "prod")),
            ("pad", x => nn.functional.pad(x, [1, 2, -1, 1])), ("pad reflect", x => nn.functional.pad(x, [2, 1], PaddingModes.Reflect)),
            ("embedding", x => nn.functional.embedding(wide, x.T)),
            ("embedding_bag", x => nn.functional.embedding_bag(wide, x.T, mode: EmbeddingBagMode.Mean)),
            ("embedding_bag max", x => nn.functional.embedding_bag(wide, x.T, mode: EmbeddingBagMode.Max)),
            ("unfold", x => nn.functional.unfold(x.reshape(1, 1, 3, 4), (2, 2), padding: (1, 0))),
            ("fold", x => nn.functional.fold(x.reshape(1, 4, 3), (2, 4), (2, 2))), ("windows", x => x.unfold(1, 3, 1)),
            ("pixel_shuffle", x => nn.functional.pixel_shuffle(x.reshape(1, 4, 1, 3), 2)),
            ("nearest", x => nn.functional.interpolate(x.reshape(1, 1, 3, 4), [5, 3])),
            ("bilinear", x => nn.functional.interpolate(x.reshape(1, 1, 3, 4), [5, 3], mode: InterpolationMode.Bilinear)),
            ("bicubic", x => nn.functional.interpolate(x.reshape(1, 1, 3, 4), [5, 3], mode: InterpolationMode.Bicubic)),
            ("fill_", x => x * (x * x).fill_(2)), ("zero row", x => Put(x * x, y => y[0].zero_())),
        ];
        return cases.Select(c => new TestCaseData(c.Item2).SetArgDisplayNames(c.Item1));
    }

    private static Tensor Put(Tensor x, Action<Tensor> change)
    {
        Tensor y = x * x;
        change(y);
        return y;
    }

    [TestCaseSource(nameof(OfOne))]
    public void FirstAndSecondDerivative(Func<Tensor, Tensor> f)
    {
        manual_seed(3);
        Tensor x = randn(3, 4, dtype: float64, requires_grad: true);
        Assert.That(autograd.gradcheck(a => f(a[0]), [x]));
        Assert.That(autograd.gradgradcheck(a => [f(a[0]) * f(a[0])], [x]));
    }

    [Test]
    public void EmbeddingGivesThePaddingNoGradientAndScalesByFrequency()
    {
        Tensor w = ones(4, 2, requires_grad: true);
        nn.functional.embedding(tensor([0L, 1L, 1L, 3L]), w, padding_idx: 0).sum().backward();
        Assert.That(w.grad!.data<float>(), Is.EqualTo(new float[] { 0, 0, 2, 2, 0, 0, 1, 1 }));
        w.grad = null;
        nn.functional.embedding(tensor([0L, 1L, 1L, 3L]), w, scale_grad_by_freq: true).sum().backward();
        Assert.That(w.grad!.data<float>(), Is.EqualTo(new float[] { 1, 1, 1, 1, 0, 0, 1, 1 }));
        nn.functional.embedding(tensor([2L]), w, max_norm: 0.5);
        Assert.That(w[2].norm().ToSingle(), Is.EqualTo(0.5f).Within(1e-5));
    }
}
