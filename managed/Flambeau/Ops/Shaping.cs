namespace Flambeau;

public static partial class torch
{
    public static Tensor flatten(Tensor input, long start_dim = 0, long end_dim = -1) => input.flatten(start_dim, end_dim);

    public static Tensor[] unbind(Tensor input, long dimension = 0) => input.unbind(dimension);

    public static Tensor atleast_1d(Tensor input) => input.atleast_1d();

    public static Tensor atleast_2d(Tensor input) => input.atleast_2d();

    public static Tensor atleast_3d(Tensor input) => input.atleast_3d();

    public static Tensor[] atleast_1d(params Tensor[] input) => Array.ConvertAll(input, static x => x.atleast_1d());

    public static Tensor[] atleast_2d(params Tensor[] input) => Array.ConvertAll(input, static x => x.atleast_2d());

    public static Tensor[] atleast_3d(params Tensor[] input) => Array.ConvertAll(input, static x => x.atleast_3d());

    public partial class Tensor
    {
        /// <summary>Dimensions start_dim to end_dim as one.</summary>
        public Tensor flatten(long start_dim = 0, long end_dim = -1)
        {
            int a = Shapes.Dim("flatten", start_dim, rank), b = Shapes.Dim("flatten", end_dim, rank);
            if (a > b) throw Error.Argument("flatten", $"start_dim {start_dim} lies after end_dim {end_dim}");
            if (rank == 0) return reshape(1);
            if (a == b) return Live("flatten");
            long length = 1;
            for (int i = a; i <= b; i++) length *= sizes[i];
            return reshape([.. sizes[..a], length, .. sizes[(b + 1)..]]);
        }

        /// <summary>The entries along a dimension, which disappears.</summary>
        public Tensor[] unbind(long dimension = 0)
        {
            if (rank == 0) throw Error.Range("unbind", "a 0-dim tensor has no dimension");
            int d = Shapes.Dim("unbind", dimension, rank);
            var parts = new Tensor[sizes[d]];
            for (int i = 0; i < parts.Length; i++) parts[i] = select(d, i);
            return parts;
        }

        public Tensor atleast_1d() => rank == 0 ? reshape(1) : Live("atleast_1d");

        public Tensor atleast_2d() => rank switch
        {
            0 => reshape(1, 1),
            1 => unsqueeze(0),
            _ => Live("atleast_2d"),
        };

        public Tensor atleast_3d() => rank switch
        {
            0 => reshape(1, 1, 1),
            1 => unsqueeze(0).unsqueeze(-1),
            2 => unsqueeze(-1),
            _ => Live("atleast_3d"),
        };
    }
}
