using ScottPlot;

namespace Benchmarks;

/// <summary>Horizontal bars of the ratios, a line where both libraries take the same time, and a tick at each target.</summary>
internal static class Plot
{
    internal static void Save(string path, IReadOnlyList<Outcome> outcomes)
    {
        Fonts.Default = "DejaVu Sans";
        using var plot = new ScottPlot.Plot();
        int n = outcomes.Count;
        for (int i = 0; i < n; i++)
        {
            Outcome o = outcomes[i];
            double ratio = o.Ratio!.Value, y = n - i;
            plot.Add.Bar(new Bar { Position = y, Value = ratio, Size = 0.7, Orientation = Orientation.Horizontal, FillColor = ratio <= o.Row.Target ? Colors.SeaGreen : ratio <= 1 ? Colors.DarkOrange : Colors.Red, LineWidth = 0 });
            plot.Add.Line(o.Row.Target, y - 0.4, o.Row.Target, y + 0.4).Color = Colors.Black;
            plot.Add.Text($"{ratio:F2}", Math.Min(ratio, 2) + 0.02, y).LabelAlignment = Alignment.MiddleLeft;
        }
        plot.Add.VerticalLine(1, color: Colors.Gray);
        plot.Title("Flambeau's time divided by TorchSharp's");
        plot.XLabel("ratio; black: target, green: met");
        plot.Axes.Left.SetTicks([.. Enumerable.Range(0, n).Select(i => (double)(n - i))], [.. outcomes.Select(o => o.Row.Name)]);
        plot.Axes.SetLimits(0, Math.Clamp(outcomes.Max(o => o.Ratio!.Value) * 1.15, 1.2, 2.2), 0.3, n + 0.7);
        plot.HideGrid();
        plot.SavePng(path, 1000, 120 + 26 * n);
    }
}
