using Flambeau.Modules;
using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>The program of the README is this one, and it runs.</summary>
public class ReadmeTests
{
    private static double Train()
    {
        // begin
        manual_seed(0);
        Tensor x = rand(256, 2) * 2 - 1;                                  // points in a square
        Tensor y = (x.square().sum(1, keepdim: true) < 0.5).@float();     // inside a circle or not

        Sequential net = nn.Sequential(
            nn.Linear(2, 32),
            nn.ReLU(),
            nn.Linear(32, 1));
        var optimizer = optim.Adam(net.parameters(), lr: 0.01);
        var criterion = nn.BCEWithLogitsLoss();

        for (int step = 0; step < 300; step++)
        {
            optimizer.zero_grad();
            Tensor loss = criterion.call(net.call(x), y);
            loss.backward();
            optimizer.step();
            if (step % 100 == 0) Console.WriteLine($"step {step}: loss {loss.item<float>():F3}");
        }

        Tensor right = ((net.call(x) > 0).@float() == y).@float().mean();
        Console.WriteLine($"accuracy {right.item<float>():P1}");
        // end
        return right.item<float>();
    }

    [Test]
    public void The_program_learns() => Assert.That(Train(), Is.GreaterThan(0.95));

    [Test]
    public void The_program_in_the_README_is_the_one_tested()
    {
        string root = Path.GetFullPath(Path.Combine(Golden.Folder, "..", ".."));
        string source = File.ReadAllText(Path.Combine(root, "tests", "Flambeau.Tests", "Docs", "ReadmeTests.cs"));
        string readme = File.ReadAllText(Path.Combine(root, "README.md"));
        string[] tested = Lines(source.Split("// begin\n")[1].Split("// end\n")[0]);
        string[] shown = Lines(readme.Split("```csharp\n")[1].Split("```")[0]);
        Assert.That(shown.Where(l => !l.StartsWith("using", StringComparison.Ordinal)), Is.EqualTo(tested));

        static string[] Lines(string text) => [.. text.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0)];
    }
}
