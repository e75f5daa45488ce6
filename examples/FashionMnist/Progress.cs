using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Flambeau.Examples.FashionMnist;

/// <summary>A bar with loss, accuracy, images per second and time left; plain lines when the output is no terminal.</summary>
internal static class Progress
{
    /// <summary>Runs one epoch; <paramref name="steps"/> yields after each step the images seen and the running loss and accuracy.</summary>
    internal static void Show(string title, long images, IEnumerable<(long Seen, double Loss, double Accuracy)> steps)
    {
        if (AnsiConsole.Profile.Out.IsTerminal) Bar(title, images, steps);
        else Lines(title, images, steps);
    }

    private static void Bar(string title, long images, IEnumerable<(long Seen, double Loss, double Accuracy)> steps) =>
        AnsiConsole.Progress().AutoClear(false).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).Start(context =>
        {
            ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: images);
            var clock = Stopwatch.StartNew();
            foreach ((long seen, double loss, double accuracy) in steps)
            {
                task.Value = seen;
                task.Description = Markup.Escape($"{title}  {Figures(seen, loss, accuracy, clock)}");
            }
        });

    private static void Lines(string title, long images, IEnumerable<(long Seen, double Loss, double Accuracy)> steps)
    {
        var clock = Stopwatch.StartNew();
        int tenth = 0;
        foreach ((long seen, double loss, double accuracy) in steps)
        {
            if (10 * seen / images <= tenth) continue;
            tenth = (int)(10 * seen / images);
            double left = clock.Elapsed.TotalSeconds * (images - seen) / seen;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{title}  {10 * tenth,3}%  {Figures(seen, loss, accuracy, clock)}  {left:F0} s left"));
        }
    }

    private static string Figures(long seen, double loss, double accuracy, Stopwatch clock) =>
        string.Create(CultureInfo.InvariantCulture, $"loss {loss:F4}  accuracy {100 * accuracy:F2}%  {seen / clock.Elapsed.TotalSeconds:F0} images/s");
}
