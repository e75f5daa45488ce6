// Finds and checks the native library once, before the first call. Its flavours share one ABI: flambeau (CPU), flambeau_cuda (CPU and CUDA)
// and flambeau_emulated (CPU and emulated CUDA, for tests). In each folder flambeau_cuda is taken if it is there and loads, else flambeau;
// FLAMBEAU_BACKEND = cpu, cuda or emulated forces one. What can go wrong is said with the file and the cure.
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Flambeau.Interop;

internal static unsafe class NativeLoader
{
    private static readonly Lazy<nint> Handle = new(Load);

    /// <summary>Directory to look in first; set by tests.</summary>
    internal static string? SearchDirectory { get; set; } = Environment.GetEnvironmentVariable("FLAMBEAU_NATIVE_PATH");

    /// <summary>Why flambeau_cuda was there and not taken, or "".</summary>
    internal static string CudaRefused { get; private set; } = "";

    /// <summary>The library, loaded if need be.</summary>
    internal static nint Library => Handle.Value;

#pragma warning disable CA2255 // the resolver must stand before any P/Invoke, whichever class makes the first one
    [ModuleInitializer]
    internal static void Install() => NativeLibrary.SetDllImportResolver(typeof(Native).Assembly, Resolve);
#pragma warning restore CA2255

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Native.Library ? Handle.Value : 0;

    internal static string FileName(string flavour) =>
        OperatingSystem.IsWindows() ? flavour + ".dll" : OperatingSystem.IsMacOS() ? $"lib{flavour}.dylib" : $"lib{flavour}.so";

    private static IEnumerable<string> Folders()
    {
        if (SearchDirectory is { Length: > 0 } directory) yield return directory;
        yield return AppContext.BaseDirectory;
        yield return Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native");
    }

    private static nint Load()
    {
        nint handle = Choose(Environment.GetEnvironmentVariable("FLAMBEAU_BACKEND"), [.. Folders()], out string refused);
        CudaRefused = refused;
        Check(handle);
        return handle;
    }

    /// <summary>Opens the flavour that the environment asks for, or the best one.</summary>
    /// <param name="refused">Why a flambeau_cuda that is there was not taken, or "".</param>
    internal static nint Choose(string? backend, string[] folders, out string refused)
    {
        refused = "";
        switch (backend?.Trim().ToLowerInvariant())
        {
            case "cpu": return Open("flambeau", folders);
            case "cuda": return Open("flambeau_cuda", folders);
            case "emulated": return Open("flambeau_emulated", folders);
            case null or "": break;
            default: throw new DllNotFoundException($"[flambeau] FLAMBEAU_BACKEND is '{backend}'; it must be cpu, cuda or emulated.");
        }
        foreach (string folder in folders)
        {
            string file = Path.Combine(folder, FileName("flambeau_cuda"));
            if (!File.Exists(file))
            {
                if (File.Exists(Path.Combine(folder, FileName("flambeau")))) break;
                continue;
            }
            try
            {
                return NativeLibrary.Load(file);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                refused = $"'{file}' is there but cannot be loaded: {Reason(e)}";
            }
        }
        return Open("flambeau", folders);
    }

    private static nint Open(string flavour, string[] folders) => Open(Array.ConvertAll(folders, f => Path.Combine(f, FileName(flavour))), flavour);

    internal static nint Open(IReadOnlyList<string> candidates, string flavour = "flambeau")
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
        string build = flavour switch
        {
            "flambeau_cuda" => "Build it with './build.sh build --cuda' (FLAMBEAU_BACKEND=cuda asks for it)",
            "flambeau_emulated" => "Build it with -DFLAMBEAU_EMULATED=ON (FLAMBEAU_BACKEND=emulated asks for it)",
            _ => "Build it with './build.sh build'",
        };
        throw new DllNotFoundException(
            $"[flambeau] the native library '{FileName(flavour)}' was not found. Looked for: {string.Join(", ", candidates)}. {build}, or set FLAMBEAU_NATIVE_PATH to the folder that holds it.");
    }

    private static string Reason(Exception e)
    {
        // The first line is .NET's advice, the rest what the system's loader says.
        string[] lines = e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string text = string.Join(' ', lines.Length > 1 ? lines[1..] : lines);
        return text.Length > 300 ? text[..300] : text;
    }

    internal static void Check(nint handle, int wanted = Native.AbiVersion)
    {
        int abi = ((delegate* unmanaged<int>)NativeLibrary.GetExport(handle, "flam_abi_version"))();
        if (abi != wanted)
            throw new DllNotFoundException(
                $"[flambeau] the native library has ABI version {abi}, this assembly needs {wanted}. Use the two from one build: './build.sh build'.");
        Compare(handle, "flam_struct_size",
        [
            sizeof(flam_tensor), sizeof(flam_memory_stats), sizeof(flam_generator), sizeof(flam_conv), sizeof(flam_pool),
            sizeof(flam_sgd), sizeof(flam_adam), sizeof(flam_rmsprop),
        ]);
        if (NativeLibrary.TryGetExport(handle, "flam_cuda_struct_size", out _))
            Compare(handle, "flam_cuda_struct_size", [sizeof(flam_cuda_properties), sizeof(flam_cuda_memory_stats)]);
    }

    private static void Compare(nint handle, string function, ReadOnlySpan<int> sizes)
    {
        var size = (delegate* unmanaged<int, int>)NativeLibrary.GetExport(handle, function);
        for (int i = 0; i < sizes.Length; i++)
            if (size(i) != sizes[i])
                throw new DllNotFoundException(
                    $"[flambeau] structure {i} of {function} has {size(i)} bytes in the native library and {sizes[i]} here. Use the two from one build: './build.sh build'.");
    }
}
