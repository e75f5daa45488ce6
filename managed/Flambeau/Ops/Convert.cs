namespace Flambeau;

public static partial class torch
{
    public partial class Tensor
    {
        // Numbers and arrays where a tensor is expected: x[0] = 1.5f. Scalar converts too, which makes `x + 1` prefer the Scalar operator.
        // Numbers lie on the CPU: they go with tensors on any device.
        public static implicit operator Tensor(Scalar value) => tensor(value, device: CPU);

        public static implicit operator Tensor(bool value) => tensor(value, device: CPU);

        public static implicit operator Tensor(byte value) => tensor(value, device: CPU);

        public static implicit operator Tensor(sbyte value) => tensor(value, device: CPU);

        public static implicit operator Tensor(short value) => tensor(value, device: CPU);

        public static implicit operator Tensor(int value) => tensor(value, device: CPU);

        public static implicit operator Tensor(long value) => tensor(value, device: CPU);

        public static implicit operator Tensor(float value) => tensor(value, device: CPU);

        public static implicit operator Tensor(double value) => tensor(value, device: CPU);

        public static implicit operator Tensor(bool[] value) => tensor(value);

        public static implicit operator Tensor(byte[] value) => tensor(value);

        public static implicit operator Tensor(sbyte[] value) => tensor(value);

        public static implicit operator Tensor(short[] value) => tensor(value);

        public static implicit operator Tensor(int[] value) => tensor(value);

        public static implicit operator Tensor(long[] value) => tensor(value);

        public static implicit operator Tensor(float[] value) => tensor(value);

        public static implicit operator Tensor(double[] value) => tensor(value);

        // The one element, converted.
        public static explicit operator bool(Tensor value) => value.ToBoolean();

        public static explicit operator byte(Tensor value) => value.ToByte();

        public static explicit operator sbyte(Tensor value) => value.ToSByte();

        public static explicit operator short(Tensor value) => value.ToInt16();

        public static explicit operator int(Tensor value) => value.ToInt32();

        public static explicit operator long(Tensor value) => value.ToInt64();

        public static explicit operator float(Tensor value) => value.ToSingle();

        public static explicit operator double(Tensor value) => value.ToDouble();

        public static explicit operator Half(Tensor value) => value.ToHalf();

        public static explicit operator BFloat16(Tensor value) => value.ToBFloat16();
    }
}
