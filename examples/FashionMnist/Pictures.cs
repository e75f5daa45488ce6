using ScottPlot;
using SkiaSharp;
using static Flambeau.torch;

namespace Flambeau.Examples.FashionMnist;

/// <summary>The two PNGs.</summary>
internal static class Pictures
{
    internal static readonly string[] Labels = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Boot"];

    /// <summary>Loss of every step with a running mean, and accuracy after each epoch on a second axis.</summary>
    internal static void Loss(string path, IReadOnlyList<double> losses, IReadOnlyList<double> accuracies)
    {
        Fonts.Default = "DejaVu Sans";
        using var plot = new Plot();
        plot.Title("Fashion-MNIST");
        plot.XLabel("step");
        plot.YLabel("loss");
        double[] steps = [.. Enumerable.Range(1, losses.Count).Select(i => (double)i)];
        var raw = plot.Add.Scatter(steps, losses.ToArray());
        raw.MarkerSize = 0;
        raw.Color = Colors.LightSkyBlue;
        raw.LegendText = "loss of a batch";
        var mean = plot.Add.Scatter(steps, Smoothed(losses, 50));
        mean.MarkerSize = 0;
        mean.LineWidth = 2;
        mean.Color = Colors.Navy;
        mean.LegendText = "mean of 50 batches";
        double perEpoch = (double)losses.Count / accuracies.Count;
        var test = plot.Add.Scatter([.. Enumerable.Range(1, accuracies.Count).Select(i => i * perEpoch)], accuracies.Select(a => 100 * a).ToArray());
        test.Axes.YAxis = plot.Axes.Right;
        test.Color = Colors.DarkOrange;
        test.MarkerSize = 9;
        test.LegendText = "test accuracy, %";
        plot.Axes.Right.Label.Text = "test accuracy, %";
        plot.Axes.SetLimitsY(0, Math.Max(1.5, losses.Take(5).DefaultIfEmpty(1.5).Max()));
        plot.Axes.SetLimitsY(80, 95, plot.Axes.Right);
        plot.ShowLegend(Alignment.UpperCenter);
        plot.SavePng(path, 900, 500);
    }

    private static double[] Smoothed(IReadOnlyList<double> values, int window)
    {
        var result = new double[values.Count];
        double sum = 0;
        for (int i = 0; i < result.Length; i++)
        {
            sum += values[i] - (i >= window ? values[i - window] : 0);
            result[i] = sum / Math.Min(i + 1, window);
        }
        return result;
    }

    /// <summary>A sheet of images [n, 1, 28, 28] with predicted and, where it differs, true label; wrong ones are framed in red.</summary>
    internal static void Predictions(string path, Tensor images, long[] predicted, long[] actual)
    {
        const int columns = 10, scale = 3, side = 28 * scale, cell = side + 16, caption = 34;
        int rows = (predicted.Length + columns - 1) / columns;
        using var bitmap = new SKBitmap(columns * cell, rows * (cell + caption));
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SKColors.White);
        using var font = new SKFont(SKTypeface.FromFamilyName("DejaVu Sans") ?? SKTypeface.Default, 13);
        float[] pixels = images.to(float32).contiguous().data<float>().ToArray();
        for (int i = 0; i < predicted.Length; i++)
        {
            int x = i % columns * cell + 8, y = i / columns * (cell + caption) + 8;
            bool right = predicted[i] == actual[i];
            Image(canvas, pixels.AsSpan(i * 28 * 28, 28 * 28), x, y, scale);
            using var frame = new SKPaint { Style = SKPaintStyle.Stroke, StrokeWidth = right ? 1 : 4, Color = right ? SKColors.LightGray : SKColors.Red };
            canvas.DrawRect(x, y, side, side, frame);
            using var ink = new SKPaint { Color = right ? SKColors.Black : SKColors.Red, IsAntialias = true };
            canvas.DrawText(Labels[predicted[i]], x + side / 2f, y + side + 15, SKTextAlign.Center, font, ink);
            if (!right) canvas.DrawText($"is {Labels[actual[i]]}", x + side / 2f, y + side + 30, SKTextAlign.Center, font, ink);
        }
        using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        using FileStream file = File.Create(path);
        png.SaveTo(file);
    }

    private static void Image(SKCanvas canvas, ReadOnlySpan<float> pixels, int x, int y, int scale)
    {
        using var paint = new SKPaint();
        for (int r = 0; r < 28; r++)
            for (int c = 0; c < 28; c++)
            {
                byte grey = (byte)(255 - Math.Clamp(pixels[r * 28 + c], 0, 1) * 255);
                paint.Color = new SKColor(grey, grey, grey);
                canvas.DrawRect(x + c * scale, y + r * scale, scale, scale, paint);
            }
    }
}
