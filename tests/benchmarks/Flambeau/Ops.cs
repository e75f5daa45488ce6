using Flambeau;
using static Flambeau.torch;
using static Flambeau.torch.nn;

namespace Benchmarks.InFlambeau;

internal sealed partial class Library : ILibrary
{
    public string Name => "Flambeau";

    public string Version => typeof(torch).Assembly.GetName().Version!.ToString(3);

    public void SetThreads(int threads) => set_num_threads(threads);

    private static Tensor Data(int seed, params long[] shape) => tensor(Numbers.Uniform(seed, shape.Aggregate(1L, (a, b) => a * b)), shape);

    public IWorkload Elementwise(string op, int n)
    {
        Tensor x = Data(1, n), y = Data(2, n);
        return new Forward(op switch
        {
            "add" => () => x.add(y),
            "exp" => () => x.exp(),
            "gelu" => () => functional.gelu(x),
            "sum" => () => x.sum(),
            _ => throw new ArgumentException(op),
        });
    }

    public IWorkload Matrix(string op, int rows, int columns)
    {
        Tensor x = Data(1, rows, columns), weight = Data(2, columns), bias = Data(3, columns);
        long[] normalized = [columns];
        return new Forward(op switch
        {
            "softmax" => () => x.softmax(1),
            "layer_norm" => () => functional.layer_norm(x, normalized, weight, bias),
            "transpose" => () => x.t().contiguous(),
            "sum" => () => x.sum(0L),
            _ => throw new ArgumentException(op),
        });
    }

    public IWorkload MatMul(int n, bool bfloat16)
    {
        ScalarType dtype = bfloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
        Tensor a = Data(1, n, n).to(dtype), b = Data(2, n, n).to(dtype);
        return new Forward(() => a.mm(b));
    }

    public IWorkload Convolution(bool backward)
    {
        Tensor x = Data(1, 32, 64, 56, 56), weight = Data(2, 64, 64, 3, 3), dy = Data(3, 32, 64, 56, 56);
        Tensor Op() => functional.conv2d(x, weight, padding: [1, 1]);
        return backward ? new ForwardBackward(Op, dy, [x.requires_grad_(), weight.requires_grad_()]) : new Forward(Op);
    }

    public IWorkload Attention(bool backward)
    {
        Tensor q = Data(1, 4, 8, 512, 64), k = Data(2, 4, 8, 512, 64), v = Data(3, 4, 8, 512, 64), dy = Data(4, 4, 8, 512, 64);
        Tensor Op() => functional.scaled_dot_product_attention(q, k, v, is_casual: true);
        return backward ? new ForwardBackward(Op, dy, [q.requires_grad_(), k.requires_grad_(), v.requires_grad_()]) : new Forward(Op);
    }
}
