using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Benchmarks.InTorchSharp;

/// <summary>
/// Makes TorchSharp's native library loadable on systems with a libstdc++ before GCC 13 (Debian 12): the one symbol that it misses comes
/// from a preloaded library, and the version GLIBCXX_3.4.32 is marked weak in the copy in the output folder.
/// </summary>
internal static partial class Libtorch
{
    private const string Version = "GLIBCXX_3.4.32", Symbol = "_ZSt21ios_base_library_initv";
    private const int RTLD_NOW = 2, RTLD_GLOBAL = 0x100;

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint dlopen(string file, int flags);

    /// <summary>Must run before anything of TorchSharp does.</summary>
    /// <exception cref="DllNotFoundException">This build has no libtorch.</exception>
    internal static void Prepare()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native");
        if (!File.Exists(Path.Combine(folder, "libtorch_cpu.so")))
            throw new DllNotFoundException($"libtorch is not in {folder}; './build.sh bench' builds with it (-p:WithLibtorch=true)");
        if (NativeLibrary.TryLoad("libstdc++.so.6", out nint standard) && NativeLibrary.TryGetExport(standard, Symbol, out _)) return;
        string shim = Path.Combine(AppContext.BaseDirectory, "libios_init.so");
        if (dlopen(shim, RTLD_NOW | RTLD_GLOBAL) == 0) throw new DllNotFoundException($"cannot load {shim}");
        Patch(Path.Combine(folder, "libLibTorchSharp.so"));
    }

    // The new file takes the old one's name in one step, for other processes may be loading it, and its time, so that a build leaves it alone.
    private static void Patch(string file)
    {
        byte[] image = File.ReadAllBytes(file);
        if (!Weaken(image)) return;
        string copy = $"{file}.{Environment.ProcessId}";
        File.WriteAllBytes(copy, image);
        File.SetLastWriteTimeUtc(copy, File.GetLastWriteTimeUtc(file));
        File.Move(copy, file, overwrite: true);
    }

    /// <summary>Sets VER_FLG_WEAK where the ELF64 image asks for the version. Returns whether anything changed.</summary>
    private static bool Weaken(Span<byte> image)
    {
        const uint SHT_GNU_verneed = 0x6ffffffe;
        const ushort VER_FLG_WEAK = 2;
        bool changed = false;
        int sections = Offset(image, 0x28), size = Half(image, 0x3a), count = Half(image, 0x3c);
        for (int s = sections; s < sections + count * size; s += size)
        {
            if (Word(image, s + 4) != SHT_GNU_verneed) continue;
            int strings = Offset(image, sections + (int)Word(image, s + 0x28) * size + 0x18);
            foreach (int aux in Needed(image, Offset(image, s + 0x18)))
            {
                Span<byte> name = image[(strings + (int)Word(image, aux + 8))..], flags = image.Slice(aux + 4, 2);
                if (Encoding.ASCII.GetString(name[..name.IndexOf((byte)0)]) != Version) continue;
                changed |= (flags[0] & VER_FLG_WEAK) == 0;
                flags[0] |= (byte)VER_FLG_WEAK;
            }
        }
        return changed;
    }

    // Elf64_Verneed {version, cnt, file, aux, next} lists libraries, each with a list of Elf64_Vernaux {hash, flags, other, name, next}.
    private static List<int> Needed(ReadOnlySpan<byte> image, int need)
    {
        List<int> found = [];
        while (true)
        {
            for (int i = Half(image, need + 2), aux = need + (int)Word(image, need + 8); i > 0; i--, aux += (int)Word(image, aux + 12)) found.Add(aux);
            int next = (int)Word(image, need + 12);
            if (next == 0) return found;
            need += next;
        }
    }

    private static ushort Half(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt16LittleEndian(image[at..]);

    private static uint Word(ReadOnlySpan<byte> image, int at) => BinaryPrimitives.ReadUInt32LittleEndian(image[at..]);

    private static int Offset(ReadOnlySpan<byte> image, int at) => checked((int)BinaryPrimitives.ReadUInt64LittleEndian(image[at..]));
}
