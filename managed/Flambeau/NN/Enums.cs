namespace Flambeau
{
    /// <summary>Padding of a convolution by name: none, or as much as keeps the size.</summary>
    public enum Padding
    {
        Valid = 0,
        Same = 1,
    }

    /// <summary>What stands outside the input: zeros, mirrored, repeated, wrapped around, or one value.</summary>
    public enum PaddingModes
    {
        Zeros = 0,
        Reflect = 1,
        Replicate = 2,
        Circular = 3,
        Constant = 4,
    }

    /// <summary>How the entries of one bag become one row.</summary>
    public enum EmbeddingBagMode
    {
        Sum = 0,
        Mean = 1,
        Max = 2,
    }

    public static partial class torch
    {
        public enum InterpolationMode
        {
            Nearest = 0,
            Linear = 1,
            Bilinear = 2,
            Bicubic = 3,
            Trilinear = 4,
            Area = 5,
            NearestExact = 6,
        }

        public enum UpsampleMode
        {
            Nearest = 0,
            Linear = 1,
            Bilinear = 2,
            Bicubic = 3,
            Trilinear = 4,
        }

        public enum GridSampleMode
        {
            Nearest = 0,
            Bilinear = 2,
        }

        public enum GridSamplePaddingMode
        {
            Zeros = 0,
            Reflection = 1,
            Border = 2,
        }

        public static partial class nn
        {
            /// <summary>What a loss does with its elements.</summary>
            public enum Reduction
            {
                None = 0,
                Mean = 1,
                Sum = 2,
            }

            public enum Activations
            {
                ReLU = 0,
                GELU = 1,
            }

            public enum NonLinearities
            {
                ReLU = 0,
                Tanh = 1,
            }
        }
    }
}

namespace Flambeau.Modules
{
    public partial class GELU
    {
        /// <summary>The exact x * Phi(x), or its approximation by tanh.</summary>
        public enum Approximate
        {
            none = 0,
            tanh = 1,
        }
    }
}
