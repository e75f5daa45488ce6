namespace Flambeau;

public static partial class torch
{
    public static Tensor add(Tensor left, Scalar right, Scalar alpha) => left.add(right, alpha);

    public static Tensor add_(Tensor left, Tensor right) => left.add_(right);

    public static Tensor add_(Tensor left, Scalar right) => left.add_(right);

    public static Tensor add_(Tensor left, Tensor right, Scalar alpha) => left.add_(right, alpha);

    public static Tensor add_(Tensor left, Scalar right, Scalar alpha) => left.add_(right, alpha);

    public static Tensor sub_(Tensor left, Tensor right) => left.sub_(right);

    public static Tensor sub_(Tensor left, Scalar right) => left.sub_(right);

    public static Tensor subtract_(Tensor left, Tensor right) => left.sub_(right);

    public static Tensor subtract_(Tensor left, Scalar right) => left.sub_(right);

    public static Tensor mul_(Tensor left, Tensor right) => left.mul_(right);

    public static Tensor mul_(Tensor left, Scalar right) => left.mul_(right);

    public static Tensor multiply_(Tensor left, Tensor right) => left.mul_(right);

    public static Tensor multiply_(Tensor left, Scalar right) => left.mul_(right);

    public static Tensor divide_(Tensor left, Tensor right, RoundingMode rounding_mode = RoundingMode.None) => left.div_(right, rounding_mode);

    public static Tensor divide_(Tensor left, Scalar right) => left.div_(right);

    public partial class Tensor
    {
        /// <summary>this + alpha * other, in place.</summary>
        public Tensor add_(Scalar other, Scalar alpha) => add_(Product(other, alpha));

        public Tensor subtract(Tensor target) => sub(target);

        public Tensor subtract(Scalar target) => sub(target);

        public Tensor subtract_(Tensor target) => sub_(target);

        public Tensor subtract_(Scalar target) => sub_(target);

        public Tensor multiply(Tensor target) => mul(target);

        public Tensor multiply(Scalar target) => mul(target);

        public Tensor multiply_(Tensor target) => mul_(target);

        public Tensor multiply_(Scalar target) => mul_(target);
    }
}
