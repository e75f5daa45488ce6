// Finds and checks the native library once, before the first call. Three failures, each with the file and the cure:
// not found, a dependency of it missing, the wrong version.
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Flambeau.Interop;

internal static unsafe class NativeLoader
{
    private static readonly Lazy<nint> Handle = new(Load);

    /// <summary>Directory to look in first; set by tests.</summary>
    internal static string? SearchDirectory { get; set; } = Environment.GetEnvironmentVariable("FLAMBEAU_NATIVE_PATH");

#pragma warning disable CA2255 // the resolver must stand before any P/Invoke, whichever class makes the first one
    [ModuleInitializer]
    internal static void Install() => NativeLibrary.SetDllImportResolver(typeof(Native).Assembly, Resolve);
#pragma warning restore CA2255

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Native.Library ? Handle.Value : 0;

    private static string FileName =>
        OperatingSystem.IsWindows() ? "flambeau.dll" : OperatingSystem.IsMacOS() ? "libflambeau.dylib" : "libflambeau.so";

    private static IEnumerable<string> Candidates()
    {
        if (SearchDirectory is { Length: > 0 } directory) yield return Path.Combine(directory, FileName);
        yield return Path.Combine(AppContext.BaseDirectory, FileName);
        yield return Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native", FileName);
    }

    private static nint Load()
    {
        nint handle = Open([.. Candidates()]);
        Check(handle);
        return handle;
    }

    internal static nint Open(IReadOnlyList<string> candidates)
    {
        foreach (string file in candidates)
        {
            if (!File.Exists(file)) continue;
            try
            {
                return NativeLibrary.Load(file);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                throw new DllNotFoundException(
                    $"[flambeau] '{file}' is there but cannot be loaded: {Reason(e)}. Install the library it names, or rebuild with './build.sh build'.", e);
            }
        }
        throw new DllNotFoundException(
            $"[flambeau] the native library '{FileName}' was not found. Looked for: {string.Join(", ", candidates)}. Build it with './build.sh build', or set FLAMBEAU_NATIVE_PATH to the folder that holds it.");
    }

    private static string Reason(Exception e)
    {
        string text = e.Message.Replace('\n', ' ').Trim();
        return text.Length > 300 ? text[..300] : text;
    }

    internal static void Check(nint handle, int wanted = Native.AbiVersion)
    {
        int abi = ((delegate* unmanaged<int>)NativeLibrary.GetExport(handle, "flam_abi_version"))();
        if (abi != wanted)
            throw new DllNotFoundException(
                $"[flambeau] the native library '{FileName}' has ABI version {abi}, this assembly needs {wanted}. Use the two from one build: './build.sh build'.");
        var size = (delegate* unmanaged<int, int>)NativeLibrary.GetExport(handle, "flam_struct_size");
        ReadOnlySpan<int> sizes =
        [
            sizeof(flam_tensor), sizeof(flam_memory_stats), sizeof(flam_generator), sizeof(flam_conv), sizeof(flam_pool),
            sizeof(flam_sgd), sizeof(flam_adam), sizeof(flam_rmsprop),
        ];
        for (int i = 0; i < sizes.Length; i++)
            if (size(i) != sizes[i])
                throw new DllNotFoundException(
                    $"[flambeau] structure {i} has {size(i)} bytes in '{FileName}' and {sizes[i]} here. Use the two from one build: './build.sh build'.");
    }
}
