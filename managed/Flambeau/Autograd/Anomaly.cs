using System.Diagnostics;
using static Flambeau.torch;

namespace Flambeau;

/// <summary>Anomaly mode: nodes remember where they were made, and backward stops at the first NaN.</summary>
internal static class Anomaly
{
    internal static bool Enabled;
    internal static bool CheckNaN = true;

    private const string Mark = "[anomaly]";

    internal static bool IsReport(Exception e) => e.Message.StartsWith(Mark, StringComparison.Ordinal);

    /// <summary>The innermost line of the user's code: "Train.cs:41".</summary>
    internal static string Line(StackTrace trace)
    {
        foreach (StackFrame frame in trace.GetFrames())
        {
            DiagnosticMethodInfo? method = DiagnosticMethodInfo.Create(frame);
            if (method?.DeclaringAssemblyName == typeof(torch).Assembly.FullName) continue;
            string place = frame.GetFileName() is { } file ? $"{Path.GetFileName(file)}:{frame.GetFileLineNumber()}" : "an unknown line (no debug symbols)";
            return $"{place} in {method?.DeclaringTypeName}.{method?.Name}";
        }
        return "an unknown line";
    }

    internal static InvalidOperationException Report(Node node, string what, Exception? inner = null) =>
        new($"{Mark} {what} (in the gradient of {node.Name}, made at {(node.Made is null ? "an unknown line: anomaly mode was off" : Line(node.Made))})", inner);

    internal static void CheckGradients(Node node, Tensor?[] dx)
    {
        for (int i = 0; i < dx.Length; i++)
            if (dx[i] is { } g && g.is_floating_point() && node.Needs(i) && HasNaN(g))
                throw Report(node, $"{node.Name} returned NaN as gradient {i}, shape {Error.Shape(g.sizes)}");
    }

    private static readonly NativeOp IsNaN = NativeOp.Unary("isnan");
    private static readonly NativeOp Any = NativeOp.Reduce("any");

    private static bool HasNaN(Tensor g)
    {
        Tensor bad = Elementwise.Unary(IsNaN, g, predicate: true);
        return Reduction.Run(Any, bad, (1 << bad.rank) - 1, keepdim: false, ScalarType.Bool).item<bool>();
    }
}
