using static Flambeau.torch;

namespace Flambeau.Tests.Ops;

public sealed class EinsumTests
{
    [TestCase("ij,jk->ik", new long[] { 2, 3 }, new long[] { 3, 2 })]
    [TestCase("bij,bjk", new long[] { 2, 2, 3 }, new long[] { 2, 3, 2 })]
    [TestCase("...ij,jk->...ik", new long[] { 2, 2, 3 }, new long[] { 3, 2 })]
    [TestCase("...i,...i->...", new long[] { 2, 1, 3 }, new long[] { 2, 3 })]
    [TestCase("ij,kj->ik", new long[] { 2, 3 }, new long[] { 2, 3 })]
    [TestCase("ii,ij->j", new long[] { 2, 2 }, new long[] { 2, 3 })]
    [TestCase("i j, k l -> j l", new long[] { 2, 2 }, new long[] { 2, 3 })]
    [TestCase("ij,j->ij", new long[] { 2, 3 }, new long[] { 3 })]
    public void DerivativesAgreeWithDifferences(string equation, long[] a, long[] b) =>
        Sample.CheckGradients(x => einsum(equation, x[0], x[1]), Sample.Real(a), (Sample.Real(b).detach() * 0.9).requires_grad_());

    [Test]
    public void LettersWithoutAnArrowComeInOrder()
    {
        Tensor x = arange(6).reshape(2, 3);
        Assert.That(einsum("ba", x).shape, Is.EqualTo(new long[] { 3, 2 }));
        Assert.That(einsum("ij,jk", x, x.transpose(0, 1)).shape, Is.EqualTo(new long[] { 2, 2 }));
        Assert.That(einsum("ii", x.narrow(1, 0, 2)).item<long>(), Is.EqualTo(4));
    }

    [Test]
    public void AgreesWithLoops()
    {
        Tensor a = Sample.Real(2, 3, 4), b = Sample.Real(4, 2), c = Sample.Real(3, 2);
        Tensor expected = (a.unsqueeze(-1) * b.reshape(1, 1, 4, 2) * c.reshape(1, 3, 1, 2)).sum([1, 2]);
        Assert.That(einsum("bij,jk,ik->bk", a, b, c).allclose(expected), Is.True);
        Tensor grid = linspace(-1, 1, 5, float64);
        Assert.That(einsum("i,j,k->ijk", grid, grid, grid).shape, Is.EqualTo(new long[] { 5, 5, 5 }));
    }

    [TestCase("ij,jk->iz")]
    [TestCase("ij->ij")]
    [TestCase("ij,jk->ii")]
    [TestCase("ijk,jk->i")]
    [TestCase("i1,jk->i")]
    [TestCase("ij,jk->ik->k")]
    public void WrongEquationsAreNamed(string equation) =>
        Assert.That(() => einsum(equation, ones([2, 3]), ones([3, 2])), Throws.ArgumentException.With.Message.StartsWith("[einsum]"));

    [Test]
    public void SizesThatDifferAreNamed() =>
        Assert.That(() => einsum("ij,jk->ik", ones([2, 3]), ones([4, 2])), Throws.ArgumentException.With.Message.Contains("'j' has sizes [3, 4]"));
}
