using System.Globalization;

namespace Flambeau.Examples.FashionMnist;

/// <summary>What the command line says.</summary>
internal sealed record Options(int Epochs, int BatchSize, string Device, int Seed, string Data, string Out)
{
    internal const string Usage = "options: --epochs N  --batch-size N  --device cpu|cuda[:N]  --seed N  --data FOLDER  --out FOLDER";

    /// <exception cref="FormatException">An unknown option or a bad value; the message is one line for the user.</exception>
    internal static Options Parse(string[] args)
    {
        var options = new Options(3, 64, "cpu", 1, "data", "out");
        for (int i = 0; i < args.Length; i += 2)
        {
            string name = args[i];
            string value = i + 1 < args.Length ? args[i + 1] : throw new FormatException($"{name} needs a value; {Usage}");
            options = name switch
            {
                "--epochs" => options with { Epochs = Number(name, value, 1, 1000) },
                "--batch-size" => options with { BatchSize = Number(name, value, 1, 60_000) },
                "--seed" => options with { Seed = Number(name, value, 0, int.MaxValue) },
                "--device" => options with { Device = value },
                "--data" => options with { Data = value },
                "--out" => options with { Out = value },
                _ => throw new FormatException($"unknown option {name}; {Usage}"),
            };
        }
        return options;
    }

    private static int Number(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n >= least && n <= most
            ? n
            : throw new FormatException($"{name} must be a whole number from {least} to {most}, not '{value}'");
}
