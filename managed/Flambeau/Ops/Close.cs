namespace Flambeau;

public static partial class torch
{
    /// <summary>Whether shapes and all elements are the same: a 0-dim bool tensor.</summary>
    public static Tensor equal(Tensor tensor, Tensor target) => tensor.equal(target);

    /// <summary>Whether |tensor - target| is at most atol + rtol |target| everywhere.</summary>
    public static bool allclose(Tensor tensor, Tensor target, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) =>
        tensor.allclose(target, rtol, atol, equal_nan);

    public static Tensor isclose(Tensor tensor, Tensor other, double rtol = 1e-5, double atol = 1e-8, bool nanEqual = false) =>
        tensor.isclose(other, rtol, atol, nanEqual);

    public partial class Tensor
    {
        /// <summary>Whether shapes and all elements are the same: a 0-dim bool tensor.</summary>
        public Tensor equal(Tensor target) => torch.full([], AllEqual(target), ScalarType.Bool, device);

        public bool allclose(Tensor target, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) =>
            isclose(target, rtol, atol, equal_nan).all().item<bool>();

        /// <summary>True where |this - other| is at most atol + rtol |other|; NaN is close to NaN only if asked.</summary>
        /// <exception cref="ArgumentException">dtypes differ, or a tolerance is negative.</exception>
        public Tensor isclose(Tensor other, double rtol = 1e-5, double atol = 1e-8, bool nanEqual = false)
        {
            if (dtype != other.dtype) throw Error.Argument("isclose", $"dtypes differ: {dtype.name()} and {other.dtype.name()}");
            if (!(rtol >= 0) || !(atol >= 0)) throw Error.Argument("isclose", $"tolerances must not be negative: rtol {rtol}, atol {atol}");
            using IDisposable _ = no_grad();
            Tensor close = this == other;
            if (nanEqual && is_floating_point()) close = close.logical_or(isnan().logical_and(other.isnan()));
            if (rtol == 0 && atol == 0) return close;
            if (dtype == ScalarType.Bool) return close;
            Tensor allowed = (other * rtol).abs() + atol, actual = (this - other).abs();
            return close.logical_or(actual.isfinite().logical_and(actual <= allowed));
        }

        private bool AllEqual(Tensor target)
        {
            using IDisposable _ = no_grad();
            return sizes.AsSpan().SequenceEqual(target.sizes) && (this == target).all().item<bool>();
        }
    }
}
