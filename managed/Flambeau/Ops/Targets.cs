using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>Class numbers as losses take them.</summary>
internal static unsafe class Targets
{
    /// <summary>
    /// Checks that each is ignore or in [0, classes); returns how many are not ignored. On a CUDA device that would wait for it: the kernels
    /// that use the numbers check them, and the result is -1 for unknown.
    /// </summary>
    /// <exception cref="IndexOutOfRangeException">One is not; the text shows it.</exception>
    internal static long Check(string op, Tensor target, long classes, long ignore)
    {
        if (target.dtype != ScalarType.Int64) throw Error.Argument(op, $"targets that are class numbers must be int64, not {target.dtype.name()}");
        if (!target.is_cpu()) return -1;
        Tensor t = target.contiguous();
        using Borrow b = t.Borrow(op, out flam_tensor v);
        long valid = 0;
        long* p = (long*)v.data;
        long count = t.numel();
        for (long i = 0; i < count; i++)
        {
            if (p[i] == ignore) continue;
            if ((ulong)p[i] >= (ulong)classes) throw Error.Range(op, $"target {p[i]} is out of range for {classes} classes");
            valid++;
        }
        return valid;
    }
}
