using System.Reflection;
using System.Text.RegularExpressions;
using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>The headers in bindings/ and their mirrors in C# say the same; the loader says what is wrong.</summary>
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
            "char*const*" => "byte**",
            "int32_t*" => "int*",
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

    [TestCase("flambeau.h", "Native.cs", 50)]
    [TestCase("flambeau_cuda.h", "NativeCuda.cs", 30)]
    public void Header_and_mirror_have_the_same_functions_in_the_same_order(string declared, string mirrored, int least)
    {
        List<string> header = Signatures(File.ReadAllText(Path.Combine(Root, "bindings", declared)), Declaration(), CSharp);
        List<string> mirror = Signatures(File.ReadAllText(Path.Combine(Root, "bindings", mirrored)), Import(), t => t);
        Assert.That(header, Has.Count.GreaterThan(least));
        Assert.That(mirror, Is.EqualTo(header).AsCollection);
    }

    [Test]
    public void Every_declared_function_is_exported()
    {
        nint library = System.Runtime.InteropServices.NativeLibrary.Load(Path.Combine(AppContext.BaseDirectory, LibraryName));
        AllExported(typeof(Native), library);
    }

    [Test]
    public void A_library_with_CUDA_exports_its_functions_too()
    {
        if (Cuda.InLibrary) AllExported(typeof(NativeCuda), NativeLoader.Library);
        else Assert.That(cuda.why_not(), Does.Contain("has no CUDA").And.Contain("./build.sh build --cuda"));
    }

    private static void AllExported(Type mirror, nint library)
    {
        foreach (MethodInfo m in mirror.GetMethods(BindingFlags.Static | BindingFlags.NonPublic).Where(m => m.Name.StartsWith("flam_", StringComparison.Ordinal)))
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

    private static string Folder(params string[] flavours)
    {
        string folder = Directory.CreateTempSubdirectory("flambeau-loader").FullName;
        foreach (string flavour in flavours) File.WriteAllText(Path.Combine(folder, NativeLoader.FileName(flavour)), "not a library");
        return folder;
    }

    [TestCase("cuda", "flambeau_cuda", "--cuda")]
    [TestCase("emulated", "flambeau_emulated", "FLAMBEAU_EMULATED")]
    [TestCase("cpu", "flambeau", "./build.sh build")]
    public void A_flavour_that_is_asked_for_and_missing_is_named_with_the_cure(string backend, string flavour, string cure)
    {
        string folder = Folder();
        string text = Assert.Throws<DllNotFoundException>(() => NativeLoader.Choose(backend, [folder], out _))!.Message;
        Assert.That(text, Does.Contain(NativeLoader.FileName(flavour)).And.Contain(folder).And.Contain(cure));
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public void A_flavour_that_is_asked_for_and_broken_is_an_error()
    {
        string folder = Folder("flambeau_cuda", "flambeau");
        Assert.That(Assert.Throws<DllNotFoundException>(() => NativeLoader.Choose("cuda", [folder], out _))!.Message, Does.Contain("cannot be loaded"));
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public void An_unknown_backend_is_an_error() =>
        Assert.That(Assert.Throws<DllNotFoundException>(() => NativeLoader.Choose("rocm", ["/nowhere"], out _))!.Message, Does.Contain("'rocm'").And.Contain("cpu, cuda or emulated"));

    [Test]
    public void Without_a_wish_a_broken_flambeau_cuda_is_passed_over_and_the_reason_kept()
    {
        string folder = Folder("flambeau_cuda");
        File.Copy(Path.Combine(AppContext.BaseDirectory, LibraryName), Path.Combine(folder, LibraryName));
        Assert.That(NativeLoader.Choose(null, [folder], out string refused), Is.Not.EqualTo((nint)0));
        Assert.That(refused, Does.Contain("flambeau_cuda").And.Contain("cannot be loaded"));
        NativeLoader.Choose("cpu", [folder], out refused);
        Assert.That(refused, Is.Empty);
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public void A_wrong_version_is_named_with_both_numbers()
    {
        nint library = System.Runtime.InteropServices.NativeLibrary.Load(Path.Combine(AppContext.BaseDirectory, LibraryName));
        DllNotFoundException e = Assert.Throws<DllNotFoundException>(() => NativeLoader.Check(library, Native.AbiVersion + 1))!;
        Assert.That(e.Message, Does.Contain($"version {Native.AbiVersion}").And.Contain($"needs {Native.AbiVersion + 1}"));
    }
}
