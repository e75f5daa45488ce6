using System.Runtime.InteropServices;

namespace Flambeau.Tests;

/// <summary>The build puts the native library next to the assembly, and it loads from there.</summary>
public sealed class NativeFileTests
{
    private delegate int AbiVersion();

    private static string FileName =>
        OperatingSystem.IsWindows() ? "flambeau.dll" : OperatingSystem.IsMacOS() ? "libflambeau.dylib" : "libflambeau.so";

    [Test]
    public void NativeLibraryLoadsFromTheOutputFolder()
    {
        var path = Path.Combine(AppContext.BaseDirectory, FileName);
        Assert.That(path, Does.Exist);
        var library = NativeLibrary.Load(path);
        var entry = NativeLibrary.GetExport(library, "flam_abi_version");
        Assert.That(Marshal.GetDelegateForFunctionPointer<AbiVersion>(entry)(), Is.GreaterThan(0));
    }
}
