using System.Globalization;
using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Tensors as text. The expected strings of the first test are what PyTorch 1.13 printed.</summary>
[NonParallelizable]
public sealed class PrintingTests
{
    private static void Check(Tensor x, string expected) => Assert.That(x.ToString(), Is.EqualTo(expected));

    [Test]
    public void DefaultStyleIsPyTorchs()
    {
        Check(tensor([[1f, 2f], [3f, 4f]]), "tensor([[1., 2.],\n        [3., 4.]])");
        Check(tensor([1.5f, -2.25f, 100f]), "tensor([  1.5000,  -2.2500, 100.0000])");
        Check(tensor([1f, float.NaN]), "tensor([1., nan])");
        Check(tensor([1.5f, float.PositiveInfinity, float.NegativeInfinity]), "tensor([1.5000,    inf,   -inf])");
        Check(tensor([1e-5f, 1f]), "tensor([1.0000e-05, 1.0000e+00])");
        Check(tensor([0.00123f]), "tensor([0.0012])");
        Check(tensor([123456f, 1f]), "tensor([1.2346e+05, 1.0000e+00])");
        Check(tensor([1e9f]), "tensor([1.0000e+09])");
        Check(tensor([0.03125f, 0.09375f]), "tensor([0.0312, 0.0938])");
        Check(tensor(3.14159f), "tensor(3.1416)");
        Check(tensor(7L), "tensor(7)");
        Check(tensor(true), "tensor(True)");
        Check(tensor([true, false]), "tensor([ True, False])");
        Check(tensor([1L, -20L, 300L]), "tensor([  1, -20, 300])");
        Check(tensor([1, 2]), "tensor([1, 2], dtype=torch.int32)");
        Check(tensor([1.0, 2.5]), "tensor([1.0000, 2.5000], dtype=torch.float64)");
        Check(tensor([1.0, 2.5], float16), "tensor([1.0000, 2.5000], dtype=torch.float16)");
        Check(tensor([1.0, 2.5], bfloat16), "tensor([1.0000, 2.5000], dtype=torch.bfloat16)");
        Check(tensor([(byte)1, (byte)255]), "tensor([  1, 255], dtype=torch.uint8)");
        Check(zeros(0), "tensor([])");
        Check(zeros(2, 0), "tensor([], size=(2, 0))");
        Check(zeros(2, 0, dtype: int64), "tensor([], size=(2, 0), dtype=torch.int64)");
        Check(zeros(0, dtype: @bool), "tensor([], dtype=torch.bool)");
        Check(arange(24).reshape(2, 3, 4), "tensor([[[ 0,  1,  2,  3],\n         [ 4,  5,  6,  7],\n         [ 8,  9, 10, 11]],\n\n        [[12, 13, 14, 15],\n         [16, 17, 18, 19],\n         [20, 21, 22, 23]]])");
        Check(arange(24, dtype: float32).reshape(2, 3, 4) / 8, "tensor([[[0.0000, 0.1250, 0.2500, 0.3750],\n         [0.5000, 0.6250, 0.7500, 0.8750],\n         [1.0000, 1.1250, 1.2500, 1.3750]],\n\n        [[1.5000, 1.6250, 1.7500, 1.8750],\n         [2.0000, 2.1250, 2.2500, 2.3750],\n         [2.5000, 2.6250, 2.7500, 2.8750]]])");
        Check(arange(30, dtype: float32) / 3, "tensor([0.0000, 0.3333, 0.6667, 1.0000, 1.3333, 1.6667, 2.0000, 2.3333, 2.6667,\n        3.0000, 3.3333, 3.6667, 4.0000, 4.3333, 4.6667, 5.0000, 5.3333, 5.6667,\n        6.0000, 6.3333, 6.6667, 7.0000, 7.3333, 7.6667, 8.0000, 8.3333, 8.6667,\n        9.0000, 9.3333, 9.6667])");
        Check(arange(2000), "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])");
        Check(arange(2000, dtype: float32) / 7, "tensor([0.0000e+00, 1.4286e-01, 2.8571e-01,  ..., 2.8529e+02, 2.8543e+02,\n        2.8557e+02])");
        Check(arange(1200).reshape(40, 30), "tensor([[   0,    1,    2,  ...,   27,   28,   29],\n        [  30,   31,   32,  ...,   57,   58,   59],\n        [  60,   61,   62,  ...,   87,   88,   89],\n        ...,\n        [1110, 1111, 1112,  ..., 1137, 1138, 1139],\n        [1140, 1141, 1142,  ..., 1167, 1168, 1169],\n        [1170, 1171, 1172,  ..., 1197, 1198, 1199]])");
        Check(arange(1200).reshape(2, 300, 2), "tensor([[[   0,    1],\n         [   2,    3],\n         [   4,    5],\n         ...,\n         [ 594,  595],\n         [ 596,  597],\n         [ 598,  599]],\n\n        [[ 600,  601],\n         [ 602,  603],\n         [ 604,  605],\n         ...,\n         [1194, 1195],\n         [1196, 1197],\n         [1198, 1199]]])");
        Check(arange(16).reshape(1, 2, 2, 4), "tensor([[[[ 0,  1,  2,  3],\n          [ 4,  5,  6,  7]],\n\n         [[ 8,  9, 10, 11],\n          [12, 13, 14, 15]]]])");
        Check(ones(2, requires_grad: true), "tensor([1., 1.], requires_grad=True)");
        Check(ones(2, requires_grad: true) * 2, "tensor([2., 2.], grad_fn=<MulBackward0>)");
        Check(ones(2, 2, requires_grad: true).exp(), "tensor([[2.7183, 2.7183],\n        [2.7183, 2.7183]], grad_fn=<ExpBackward0>)");
        Check(tensor([1f, 2f], float64).requires_grad_(), "tensor([1., 2.], dtype=torch.float64, requires_grad=True)");
        Check(tensor([-0.0f, 0f]), "tensor([-0., 0.])");
        Check(tensor([0.5f, 1.5f, 2.5f]) * 1e-4, "tensor([5.0000e-05, 1.5000e-04, 2.5000e-04])");
        Check(tensor([100005f, 1f, 0.5f]), "tensor([1.0000e+05, 1.0000e+00, 5.0000e-01])");
        Check(tensor([1e-10, 1e10]), "tensor([1.0000e-10, 1.0000e+10], dtype=torch.float64)");
        Check(tensor([1e-300, 1e300]), "tensor([1.0000e-300, 1.0000e+300], dtype=torch.float64)");
        Check(tensor([999.99995f, 1f]), "tensor([999.9999,   1.0000])");
        Check(arange(40, dtype: int32), "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,\n        36, 37, 38, 39], dtype=torch.int32)");
        Check(arange(25, dtype: float64), "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n        14., 15., 16., 17., 18., 19., 20., 21., 22., 23., 24.],\n       dtype=torch.float64)");
        Check(full(3, float.NaN), "tensor([nan, nan, nan])");
        Check(zeros(3, 3), "tensor([[0., 0., 0.],\n        [0., 0., 0.],\n        [0., 0., 0.]])");
        Check(tensor([[1000.5f, 0.25f]]).requires_grad_(), "tensor([[1.0005e+03, 2.5000e-01]], requires_grad=True)");
    }

    [Test]
    public void ParametersSayWhatTheyAre() => Check(new Modules.Parameter(zeros(2)), "Parameter containing:\ntensor([0., 0.], requires_grad=True)");

    [Test]
    public void OptionsChangeTheDefaultStyle()
    {
        try
        {
            set_printoptions(precision: 2, threshold: 5, edgeitems: 1, linewidth: 40);
            Check(arange(10, dtype: float32) / 4, "tensor([0.00,  ..., 2.25])");
            set_printoptions(precision: 3, sci_mode: true);
            Check(tensor([1f, 0.25f]), "tensor([1.000e+00, 2.500e-01])");
        }
        finally
        {
            set_printoptions(precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80);
        }
    }

    private static Tensor Mixed => tensor([0.0f, 3.141f, 6.2834f, 3.14152f, 6.28e-06f, -13.141529f, 0.01f, 4713.14f], 2, 4);

    [Test]
    public void JuliaStyleAlignsColumns()
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        Assert.That(tensor(3.14f).jlstr(cultureInfo: c), Is.EqualTo("[], type = Float32, device = cpu, value = 3.14"));
        Assert.That(zeros(4).jlstr(newLine: "\n"), Is.EqualTo("[4], type = Float32, device = cpu\n 0 0 0 0\n"));
        Assert.That(Mixed.jlstr(cultureInfo: c, newLine: "\n"),
            Is.EqualTo("[2x4], type = Float32, device = cpu\n        0   3.141 6.2834 3.1415\n 6.28e-06 -13.142   0.01 4713.1\n"));
        Assert.That(arange(8).reshape(2, 2, 2).jlstr(newLine: "\n"), Is.EqualTo("[2x2x2], type = Int64, device = cpu\n[0,..,..] =\n 0 1\n 2 3\n\n[1,..,..] =\n 4 5\n 6 7\n"));
    }

    [Test]
    public void NumpyAndCSharpStylesNest()
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        Assert.That(Mixed.npstr(cultureInfo: c, newLine: "\n"), Is.EqualTo("[[0, 3.141, 6.2834, 3.1415]\n [6.28e-06, -13.142, 0.01, 4713.1]]"));
        Assert.That(arange(1, 201, 2).npstr(), Is.EqualTo("[1, 3, 5, ... 195, 197, 199]"));
        Assert.That(zeros(2, 1, 2).npstr(newLine: "\n"), Is.EqualTo("[[[0, 0]]\n\n [[0, 0]]]"));
        Assert.That(zeros(4).cstr(), Is.EqualTo("[4], type = Float32, device = cpu, value = float [] {0f, 0f, 0f, 0f}"));
        Assert.That(ones(2, 2, 3, dtype: int32).cstr(newLine: "\n"),
            Is.EqualTo("[2x2x3], type = Int32, device = cpu, value = \nint [,,] {\n {{1, 1, 1},\n  {1, 1, 1}},\n {{1, 1, 1},\n  {1, 1, 1}}\n}"));
        Assert.That(Mixed.metastr(), Is.EqualTo("[2x4], type = Float32, device = cpu"));
    }
}
