using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>The one element of this tensor.</summary>
        /// <exception cref="ArgumentException">There is not exactly one element, or T is not its .NET type.</exception>
        public unsafe T item<T>()
            where T : unmanaged
        {
            if (numel() != 1) throw Error.Argument("item", $"a tensor of shape {Error.Shape(sizes)} has {numel()} elements; item needs exactly one");
            if (dtype_of<T>("item") != dtype) throw Error.Argument("item", $"the element is {dtype.name()}, not {typeof(T).Name}; convert the tensor or use ToSingle(), ToInt64(), ...");
            using Borrow b = Borrow("item", out flam_tensor v);
            return *(T*)v.data;
        }
    }
}
