using System.Reflection;
using System.Text.RegularExpressions;
using Flambeau.Interop;

namespace Flambeau.Tests;

/// <summary>bindings/flambeau.h and bindings/Native.cs say the same; the loader says what is wrong.</summary>
public partial class ContractTests
{
    private static string Root => Path.GetFullPath(Path.Combine(Golden.Folder, "..", ".."));

    [GeneratedRegex(@"^FLAM_API\s+(?<type>.+?)\s*(?<name>flam_\w+)\((?<args>[^)]*)\);", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"internal static partial (?<type>\S+) (?<name>flam_\w+)\((?<args>.*?)\);")]
    private static partial Regex Import();

    private static string CSharp(string c)
    {
        string type = c.Replace("const ", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        return type switch
        {
            "int32_t" => "int",
            "int64_t" => "long",
            "uint64_t" => "ulong",
            "uint64_t*" => "ulong*",
            "int64_t*" => "long*",
            "char*" => "byte*",
            _ => type,
        };
    }

    private static IEnumerable<string> Arguments(string text, Func<string, string> type)
    {
        foreach (string argument in text.Split(',', StringSplitOptions.TrimEntries).Where(a => a is not "void" and not ""))
        {
            Match m = Regex.Match(argument, @"^(?<type>.+?)\s*@?(?<name>\w+)$");
            yield return $"{type(m.Groups["type"].Value)} {m.Groups["name"].Value}";
        }
    }

    private static List<string> Signatures(string text, Regex pattern, Func<string, string> type) =>
        [.. pattern.Matches(text).Select(m => $"{type(m.Groups["type"].Value)} {m.Groups["name"].Value}({string.Join(", ", Arguments(m.Groups["args"].Value, type))})")];

    [Test]
    public void Header_and_mirror_have_the_same_functions_in_the_same_order()
    {
        List<string> header = Signatures(File.ReadAllText(Path.Combine(Root, "bindings", "flambeau.h")), Declaration(), CSharp);
        List<string> mirror = Signatures(File.ReadAllText(Path.Combine(Root, "bindings", "Native.cs")), Import(), t => t);
        Assert.That(header, Has.Count.GreaterThan(50));
        Assert.That(mirror, Is.EqualTo(header).AsCollection);
    }

    [Test]
    public void Every_declared_function_is_exported()
    {
        nint library = System.Runtime.InteropServices.NativeLibrary.Load(Path.Combine(AppContext.BaseDirectory, LibraryName));
        foreach (MethodInfo m in typeof(Native).GetMethods(BindingFlags.Static | BindingFlags.NonPublic).Where(m => m.Name.StartsWith("flam_", StringComparison.Ordinal)))
            Assert.That(System.Runtime.InteropServices.NativeLibrary.TryGetExport(library, m.Name, out _), Is.True, m.Name);
    }

    private static string LibraryName => OperatingSystem.IsWindows() ? "flambeau.dll" : OperatingSystem.IsMacOS() ? "libflambeau.dylib" : "libflambeau.so";

    [Test]
    public void A_missing_library_is_named_with_the_places_and_the_cure()
    {
        DllNotFoundException e = Assert.Throws<DllNotFoundException>(() => NativeLoader.Open(["/nowhere/libflambeau.so"]))!;
        Assert.That(e.Message, Does.Contain("/nowhere/libflambeau.so").And.Contain("build.sh").And.Contain("not found"));
    }

    [Test]
    public void A_library_that_cannot_be_loaded_is_named_with_the_reason()
    {
        string file = Path.Combine(Path.GetTempPath(), $"libflambeau-{Guid.NewGuid():N}.so");
        File.WriteAllText(file, "not a library");
        try
        {
            Assert.That(Assert.Throws<DllNotFoundException>(() => NativeLoader.Open([file]))!.Message, Does.Contain(file).And.Contain("cannot be loaded"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public void A_wrong_version_is_named_with_both_numbers()
    {
        nint library = System.Runtime.InteropServices.NativeLibrary.Load(Path.Combine(AppContext.BaseDirectory, LibraryName));
        DllNotFoundException e = Assert.Throws<DllNotFoundException>(() => NativeLoader.Check(library, Native.AbiVersion + 1))!;
        Assert.That(e.Message, Does.Contain($"version {Native.AbiVersion}").And.Contain($"needs {Native.AbiVersion + 1}"));
    }
}
