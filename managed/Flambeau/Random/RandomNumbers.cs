namespace Flambeau;

public static partial class torch
{
    // Single random numbers of .NET types.

    /// <summary>A uniform random number in [0, 1).</summary>
    public static double rand_float(Generator? generator = null) => rand([1], ScalarType.Float32, CPU, generator: generator).item<float>();

    /// <summary>A normal random number of mean 0 and variance 1.</summary>
    public static double randn_float(Generator? generator = null) => randn([1], ScalarType.Float32, CPU, generator: generator).item<float>();

    public static bool randint_bool(Generator? generator = null) => randint_long(0, 2, generator) == 1;

    public static int randint_int(int high, Generator? generator = null) => (int)randint_long(0, high, generator);

    public static int randint_int(int low, int high, Generator? generator = null) => (int)randint_long(low, high, generator);

    public static long randint_long(long high, Generator? generator = null) => randint_long(0, high, generator);

    /// <summary>A random integer in [low, high).</summary>
    public static long randint_long(long low, long high, Generator? generator = null) => randint(low, high, [1], device: CPU, generator: generator).item<long>();
}
