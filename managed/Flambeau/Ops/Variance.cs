using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static Tensor var(Tensor input, bool unbiased = true) => input.var(unbiased);

    public static Tensor var(Tensor input, long dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.var(dimensions, unbiased, keepdim, type);

    public static Tensor var(Tensor input, ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.var(dimensions, unbiased, keepdim, type);

    public static Tensor var(Tensor input, (long, long) dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.var(dimensions, unbiased, keepdim, type);

    public static Tensor var(Tensor input, (long, long, long) dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.var(dimensions, unbiased, keepdim, type);

    public static Tensor std(Tensor input, bool unbiased = true) => input.std(unbiased);

    public static Tensor std(Tensor input, long dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.std(dimensions, unbiased, keepdim, type);

    public static Tensor std(Tensor input, ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.std(dimensions, unbiased, keepdim, type);

    public static Tensor std(Tensor input, (long, long) dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.std(dimensions, unbiased, keepdim, type);

    public static Tensor std(Tensor input, (long, long, long) dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.std(dimensions, unbiased, keepdim, type);

    public static (Tensor var, Tensor mean) var_mean(Tensor input, bool unbiased = true) => input.var_mean(unbiased);

    public static (Tensor var, Tensor mean) var_mean(Tensor input, long dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.var_mean(dimensions, unbiased, keepdim, type);

    public static (Tensor var, Tensor mean) var_mean(Tensor input, ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.var_mean(dimensions, unbiased, keepdim, type);

    public static (Tensor var, Tensor mean) var_mean(Tensor input, (long, long) dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.var_mean(dimensions, unbiased, keepdim, type);

    public static (Tensor var, Tensor mean) var_mean(Tensor input, (long, long, long) dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.var_mean(dimensions, unbiased, keepdim, type);

    public static (Tensor std, Tensor mean) std_mean(Tensor input, bool unbiased = true) => input.std_mean(unbiased);

    public static (Tensor std, Tensor mean) std_mean(Tensor input, long dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.std_mean(dimensions, unbiased, keepdim, type);

    public static (Tensor std, Tensor mean) std_mean(Tensor input, ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.std_mean(dimensions, unbiased, keepdim, type);

    public static (Tensor std, Tensor mean) std_mean(Tensor input, (long, long) dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.std_mean(dimensions, unbiased, keepdim, type);

    public static (Tensor std, Tensor mean) std_mean(Tensor input, (long, long, long) dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => input.std_mean(dimensions, unbiased, keepdim, type);

    public partial class Tensor
    {
        /// <summary>The variance over dimensions or all: squared distances from the mean over n - 1 (unbiased) or n.</summary>
        public Tensor var(bool unbiased = true) => var([], unbiased);

        public Tensor var(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => var([dim], unbiased, keepdim, type);

        public Tensor var((long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => var([dim.Item1, dim.Item2], unbiased, keepdim, type);

        public Tensor var((long, long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => var([dim.Item1, dim.Item2, dim.Item3], unbiased, keepdim, type);

        public Tensor var(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Moments("var", dimensions, unbiased ? 1 : 0, keepdim, type).Var;

        /// <summary>The same with any correction: the divisor is n - correction.</summary>
        public Tensor var(ReadOnlySpan<long> dim, long correction, bool keepdim = false) =>
            Moments("var", dim, correction, keepdim, null).Var;

        /// <summary>The square root of var.</summary>
        public Tensor std(bool unbiased = true) => std([], unbiased);

        public Tensor std(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => std([dim], unbiased, keepdim, type);

        public Tensor std((long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => std([dim.Item1, dim.Item2], unbiased, keepdim, type);

        public Tensor std((long, long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => std([dim.Item1, dim.Item2, dim.Item3], unbiased, keepdim, type);

        public Tensor std(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            SafeSqrt(Moments("std", dimensions, unbiased ? 1 : 0, keepdim, type).Var);

        /// <summary>The same with any correction: the divisor is n - correction.</summary>
        public Tensor std(ReadOnlySpan<long> dim, long correction, bool keepdim = false) =>
            SafeSqrt(Moments("std", dim, correction, keepdim, null).Var);

        /// <summary>var and mean in one pass.</summary>
        public (Tensor var, Tensor mean) var_mean(bool unbiased = true) => var_mean([], unbiased);

        public (Tensor var, Tensor mean) var_mean(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => var_mean([dim], unbiased, keepdim, type);

        public (Tensor var, Tensor mean) var_mean((long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => var_mean([dim.Item1, dim.Item2], unbiased, keepdim, type);

        public (Tensor var, Tensor mean) var_mean((long, long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => var_mean([dim.Item1, dim.Item2, dim.Item3], unbiased, keepdim, type);

        public (Tensor var, Tensor mean) var_mean(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Moments("var_mean", dimensions, unbiased ? 1 : 0, keepdim, type);

        /// <summary>The same with any correction: the divisor is n - correction.</summary>
        public (Tensor var, Tensor mean) var_mean(ReadOnlySpan<long> dim, long correction, bool keepdim = false) =>
            Moments("var_mean", dim, correction, keepdim, null);

        /// <summary>std and mean in one pass.</summary>
        public (Tensor std, Tensor mean) std_mean(bool unbiased = true) => std_mean([], unbiased);

        public (Tensor std, Tensor mean) std_mean(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => std_mean([dim], unbiased, keepdim, type);

        public (Tensor std, Tensor mean) std_mean((long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => std_mean([dim.Item1, dim.Item2], unbiased, keepdim, type);

        public (Tensor std, Tensor mean) std_mean((long, long, long) dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => std_mean([dim.Item1, dim.Item2, dim.Item3], unbiased, keepdim, type);

        public (Tensor std, Tensor mean) std_mean(ReadOnlySpan<long> dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            Rooted(Moments("std_mean", dimensions, unbiased ? 1 : 0, keepdim, type));

        /// <summary>The same with any correction: the divisor is n - correction.</summary>
        public (Tensor std, Tensor mean) std_mean(ReadOnlySpan<long> dim, long correction, bool keepdim = false) =>
            Rooted(Moments("std_mean", dim, correction, keepdim, null));

        private unsafe (Tensor Var, Tensor Mean) Moments(string name, ReadOnlySpan<long> dims, double correction, bool keepdim, ScalarType? type)
        {
            if (type is { } wanted && wanted != dtype) return to(wanted).Moments(name, dims, correction, keepdim, null);
            FloatOnly(name);
            int mask = Shapes.DimMask(name, dims, rank);
            long[] kept = Shapes.Reduced(sizes, mask, keepdim: true), dropped = keepdim ? kept : Shapes.Reduced(sizes, mask, keepdim: false);
            long[] reduced = [.. Enumerable.Range(0, rank).Where(d => (mask >> d & 1) != 0)];
            Tensor v = new(kept, dtype, device), m = new(kept, dtype, device);
            using (Borrow bx = Borrow(name, out flam_tensor vx), bv = v.Borrow(name, out flam_tensor vv), bm = m.Borrow(name, out flam_tensor vm))
                Error.Check(Native.flam_var_mean(&vx, &vv, &vm, correction), name);
            double count = Reduction.Count(sizes, mask), divisor = Math.Max(0, count - correction);
            Reduction.Drop(v, dropped);
            Reduction.Drop(m, dropped);
            // var: dx = dv 2 (x - mean) / (n - correction);  mean: dx = dm / n
            Graph.Record(name, v, [this], [this], (n, dv) => [dv.reshape(kept) * (2 / divisor) * (n[0] - n[0].mean(reduced, keepdim: true))]);
            long[] old = sizes;
            Graph.Record(name, m, [this], [], (n, dm) => [(dm / count).reshape(kept).expand(old)]);
            return (v, m);
        }

        private static (Tensor, Tensor) Rooted((Tensor Var, Tensor Mean) moments) => (SafeSqrt(moments.Var), moments.Mean);

        /// <summary>The square root with derivative 0 at 0, for distances and deviations.</summary>
        internal static Tensor SafeSqrt(Tensor x)
        {
            Tensor y = Elementwise.Unary(SqrtOp, x);
            // dx = dy / (2 y), 0 where y = 0
            return Graph.Record("sqrt", y, [x], [y], static (n, dy) =>
            {
                Tensor zero = n[0] == 0;
                return [torch.where(zero, 0, dy / torch.where(zero, 1, n[0] * 2))];
            });
        }
    }
}
