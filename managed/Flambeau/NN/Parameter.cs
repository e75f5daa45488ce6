namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>A trainable tensor of a module: a leaf over the memory of <paramref name="data"/>.</summary>
            /// <exception cref="ArgumentException">requires_grad for integers or bools.</exception>
            public static Modules.Parameter Parameter(Tensor data, bool requires_grad = true) => new(data, requires_grad);
        }

        public partial class Tensor
        {
            /// <summary>Other memory, dtype and device under the same Parameter, with its gradient: optimizers and fields keep their references.</summary>
            internal void MoveData(ScalarType dtype, Device device)
            {
                if (dtype == this.dtype && device == this.device) return;
                using IDisposable mode = no_grad();
                ReplaceData(detach().to(dtype, device));
                if (autograd is not { } a) return;
                a.Accumulator = null;
                if (a.Grad is { } g) a.Grad = g.detach().to(dtype, device);
            }
        }
    }

    public static partial class TensorExtensionMethods
    {
        public static Modules.Parameter AsParameter(this torch.Tensor tensor) => new(tensor, tensor.requires_grad);
    }
}

namespace Flambeau.Modules
{
    /// <summary>A tensor that modules and optimizers count as trainable.</summary>
    public class Parameter : torch.Tensor
    {
        /// <summary>A new leaf over the memory of <paramref name="data"/>.</summary>
        public Parameter(torch.Tensor data, bool requires_grad = true)
            : base((data ?? throw new ArgumentNullException(nameof(data))).detach())
        {
            if (requires_grad) this.requires_grad = true;
        }
    }
}
