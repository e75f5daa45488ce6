using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    /// <summary>How many threads one operation may use.</summary>
    public static void set_num_threads(int num)
    {
        if (num < 1) throw Error.Argument("set_num_threads", $"needs at least one thread, not {num}");
        Error.Check(Native.flam_set_num_threads(num), "set_num_threads");
    }

    public static int get_num_threads() => Native.flam_get_num_threads();

    public static string __version__ => typeof(torch).Assembly.GetName().Version?.ToString(3) ?? "";
}
