namespace Flambeau;

public static partial class torch
{
    public partial class Tensor
    {
        // One overload for each kind of number, so that `x + 1` prefers the number over the implicit conversion of 1 to a tensor.

        public static Tensor operator +(Tensor left, int right) => left.add((Scalar)right);

        public static Tensor operator +(int left, Tensor right) => right.add((Scalar)left);

        public static Tensor operator +(Tensor left, long right) => left.add((Scalar)right);

        public static Tensor operator +(long left, Tensor right) => right.add((Scalar)left);

        public static Tensor operator +(Tensor left, float right) => left.add((Scalar)right);

        public static Tensor operator +(float left, Tensor right) => right.add((Scalar)left);

        public static Tensor operator +(Tensor left, double right) => left.add((Scalar)right);

        public static Tensor operator +(double left, Tensor right) => right.add((Scalar)left);

        public static Tensor operator -(Tensor left, int right) => left.sub((Scalar)right);

        public static Tensor operator -(int left, Tensor right) => right.SubtractFrom((Scalar)left);

        public static Tensor operator -(Tensor left, long right) => left.sub((Scalar)right);

        public static Tensor operator -(long left, Tensor right) => right.SubtractFrom((Scalar)left);

        public static Tensor operator -(Tensor left, float right) => left.sub((Scalar)right);

        public static Tensor operator -(float left, Tensor right) => right.SubtractFrom((Scalar)left);

        public static Tensor operator -(Tensor left, double right) => left.sub((Scalar)right);

        public static Tensor operator -(double left, Tensor right) => right.SubtractFrom((Scalar)left);

        public static Tensor operator *(Tensor left, int right) => left.mul((Scalar)right);

        public static Tensor operator *(int left, Tensor right) => right.mul((Scalar)left);

        public static Tensor operator *(Tensor left, long right) => left.mul((Scalar)right);

        public static Tensor operator *(long left, Tensor right) => right.mul((Scalar)left);

        public static Tensor operator *(Tensor left, float right) => left.mul((Scalar)right);

        public static Tensor operator *(float left, Tensor right) => right.mul((Scalar)left);

        public static Tensor operator *(Tensor left, double right) => left.mul((Scalar)right);

        public static Tensor operator *(double left, Tensor right) => right.mul((Scalar)left);

        public static Tensor operator /(Tensor left, int right) => left.div((Scalar)right);

        public static Tensor operator /(int left, Tensor right) => right.DivideInto((Scalar)left);

        public static Tensor operator /(Tensor left, long right) => left.div((Scalar)right);

        public static Tensor operator /(long left, Tensor right) => right.DivideInto((Scalar)left);

        public static Tensor operator /(Tensor left, float right) => left.div((Scalar)right);

        public static Tensor operator /(float left, Tensor right) => right.DivideInto((Scalar)left);

        public static Tensor operator /(Tensor left, double right) => left.div((Scalar)right);

        public static Tensor operator /(double left, Tensor right) => right.DivideInto((Scalar)left);

        public static Tensor operator %(Tensor left, int right) => left.remainder((Scalar)right);

        public static Tensor operator %(Tensor left, long right) => left.remainder((Scalar)right);

        public static Tensor operator %(Tensor left, float right) => left.remainder((Scalar)right);

        public static Tensor operator %(Tensor left, double right) => left.remainder((Scalar)right);

        public static Tensor operator ==(Tensor left, int right) => left.eq((Scalar)right);

        public static Tensor operator ==(int left, Tensor right) => right.eq((Scalar)left);

        public static Tensor operator ==(Tensor left, long right) => left.eq((Scalar)right);

        public static Tensor operator ==(long left, Tensor right) => right.eq((Scalar)left);

        public static Tensor operator ==(Tensor left, float right) => left.eq((Scalar)right);

        public static Tensor operator ==(float left, Tensor right) => right.eq((Scalar)left);

        public static Tensor operator ==(Tensor left, double right) => left.eq((Scalar)right);

        public static Tensor operator ==(double left, Tensor right) => right.eq((Scalar)left);

        public static Tensor operator !=(Tensor left, int right) => left.ne((Scalar)right);

        public static Tensor operator !=(int left, Tensor right) => right.ne((Scalar)left);

        public static Tensor operator !=(Tensor left, long right) => left.ne((Scalar)right);

        public static Tensor operator !=(long left, Tensor right) => right.ne((Scalar)left);

        public static Tensor operator !=(Tensor left, float right) => left.ne((Scalar)right);

        public static Tensor operator !=(float left, Tensor right) => right.ne((Scalar)left);

        public static Tensor operator !=(Tensor left, double right) => left.ne((Scalar)right);

        public static Tensor operator !=(double left, Tensor right) => right.ne((Scalar)left);

        public static Tensor operator <(Tensor left, int right) => left.lt((Scalar)right);

        public static Tensor operator <(int left, Tensor right) => right.gt((Scalar)left);

        public static Tensor operator <(Tensor left, long right) => left.lt((Scalar)right);

        public static Tensor operator <(long left, Tensor right) => right.gt((Scalar)left);

        public static Tensor operator <(Tensor left, float right) => left.lt((Scalar)right);

        public static Tensor operator <(float left, Tensor right) => right.gt((Scalar)left);

        public static Tensor operator <(Tensor left, double right) => left.lt((Scalar)right);

        public static Tensor operator <(double left, Tensor right) => right.gt((Scalar)left);

        public static Tensor operator <=(Tensor left, int right) => left.le((Scalar)right);

        public static Tensor operator <=(int left, Tensor right) => right.ge((Scalar)left);

        public static Tensor operator <=(Tensor left, long right) => left.le((Scalar)right);

        public static Tensor operator <=(long left, Tensor right) => right.ge((Scalar)left);

        public static Tensor operator <=(Tensor left, float right) => left.le((Scalar)right);

        public static Tensor operator <=(float left, Tensor right) => right.ge((Scalar)left);

        public static Tensor operator <=(Tensor left, double right) => left.le((Scalar)right);

        public static Tensor operator <=(double left, Tensor right) => right.ge((Scalar)left);

        public static Tensor operator >(Tensor left, int right) => left.gt((Scalar)right);

        public static Tensor operator >(int left, Tensor right) => right.lt((Scalar)left);

        public static Tensor operator >(Tensor left, long right) => left.gt((Scalar)right);

        public static Tensor operator >(long left, Tensor right) => right.lt((Scalar)left);

        public static Tensor operator >(Tensor left, float right) => left.gt((Scalar)right);

        public static Tensor operator >(float left, Tensor right) => right.lt((Scalar)left);

        public static Tensor operator >(Tensor left, double right) => left.gt((Scalar)right);

        public static Tensor operator >(double left, Tensor right) => right.lt((Scalar)left);

        public static Tensor operator >=(Tensor left, int right) => left.ge((Scalar)right);

        public static Tensor operator >=(int left, Tensor right) => right.le((Scalar)left);

        public static Tensor operator >=(Tensor left, long right) => left.ge((Scalar)right);

        public static Tensor operator >=(long left, Tensor right) => right.le((Scalar)left);

        public static Tensor operator >=(Tensor left, float right) => left.ge((Scalar)right);

        public static Tensor operator >=(float left, Tensor right) => right.le((Scalar)left);

        public static Tensor operator >=(Tensor left, double right) => left.ge((Scalar)right);

        public static Tensor operator >=(double left, Tensor right) => right.le((Scalar)left);
    }
}
