using System.Text;

namespace Flambeau;

public static partial class torch
{
    /// <summary>Writes one tensor in TorchSharp's .dat layout.</summary>
    public static void save(Tensor t, string location)
    {
        ArgumentNullException.ThrowIfNull(t);
        AtomicFile.Write(location, s =>
        {
            using var writer = new BinaryWriter(s, Encoding.UTF8, leaveOpen: true);
            DatFile.WriteTensor(writer, t);
        });
    }

    /// <summary>Reads one tensor that <see cref="save(Tensor, string)"/> wrote.</summary>
    /// <param name="map_location">The device to put it on; default: the CPU.</param>
    /// <exception cref="InvalidDataException">The file is cut short or is something else.</exception>
    public static Tensor load(string location, Device? map_location = null)
    {
        using FileStream s = File.OpenRead(location);
        using var reader = new BinaryReader(s);
        return DatFile.ReadTensor(reader, $"'{location}'").to(map_location ?? CPU);
    }

    public partial class Tensor
    {
        /// <summary>Writes this tensor in TorchSharp's .dat layout.</summary>
        public void save(string location) => torch.save(this, location);

        public static Tensor load(string location, Device? map_location = null) => torch.load(location, map_location);
    }

    public static partial class nn
    {
        public abstract partial class Module
        {
            /// <summary>
            /// Writes the state dict: as safetensors if the name ends so, else in TorchSharp's .dat format. The file appears only when complete.
            /// </summary>
            /// <param name="location">Path of the file.</param>
            /// <param name="skip">Keys to leave out.</param>
            public virtual Module save(string location, IList<string>? skip = null)
            {
                Dictionary<string, Tensor> state = Kept(state_dict(), skip);
                if (IsSafetensors(location)) torch.utils.safetensors.save_file(state, location);
                else AtomicFile.Write(location, s => Save(s, state));
                return this;
            }

            public Module save(Stream stream, IList<string>? skip = null)
            {
                Save(stream, Kept(state_dict(), skip));
                return this;
            }

            public Module save(BinaryWriter writer, IList<string>? skip = null)
            {
                DatFile.Write(writer, Kept(state_dict(), skip));
                return this;
            }

            public static void save_state_dict(BinaryWriter writer, Dictionary<string, Tensor> sd, IList<string>? skip = null) => DatFile.Write(writer, Kept(sd, skip));

            /// <summary>Reads what <see cref="save(string, IList{string})"/> wrote, into the parameters and buffers that are there.</summary>
            /// <param name="location">Path of a .safetensors or .dat file.</param>
            /// <param name="strict">Missing or unexpected keys are an error.</param>
            /// <param name="skip">Keys to leave as they are.</param>
            /// <param name="loadedParameters">Filled with true for each key that was loaded, false for the others.</param>
            /// <exception cref="InvalidDataException">The file is cut short or contradicts itself.</exception>
            /// <exception cref="InvalidOperationException">Keys or shapes do not match.</exception>
            public virtual Module load(string location, bool strict = true, IList<string>? skip = null, Dictionary<string, bool>? loadedParameters = null)
            {
                Dictionary<string, Tensor> state;
                if (IsSafetensors(location)) state = torch.utils.safetensors.load_file(location);
                else
                    using (FileStream s = File.OpenRead(location)) state = DatFile.Read(s, $"'{location}'");
                return Load(state, strict, skip, loadedParameters);
            }

            public Module load(Stream stream, bool strict = true, IList<string>? skip = null, Dictionary<string, bool>? loadedParameters = null) =>
                Load(DatFile.Read(stream, "the stream"), strict, skip, loadedParameters);

            public virtual Module load(BinaryReader reader, bool strict = true, IList<string>? skip = null, Dictionary<string, bool>? loadedParameters = null)
            {
                ArgumentNullException.ThrowIfNull(reader);
                return Load(DatFile.Read(reader.BaseStream, "the stream"), strict, skip, loadedParameters);
            }

            private Module Load(Dictionary<string, Tensor> state, bool strict, IList<string>? skip, Dictionary<string, bool>? loaded)
            {
                load_state_dict(state, strict, skip);
                if (loaded != null)
                    foreach (string key in state_dict().Keys) loaded[key] = state.ContainsKey(key) && skip?.Contains(key) != true;
                return this;
            }

            private static void Save(Stream stream, Dictionary<string, Tensor> state)
            {
                using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
                DatFile.Write(writer, state);
            }

            private static Dictionary<string, Tensor> Kept(Dictionary<string, Tensor> state, IList<string>? skip) =>
                skip is null ? state : state.Where(kv => !skip.Contains(kv.Key)).ToDictionary(kv => kv.Key, kv => kv.Value);

            private static bool IsSafetensors(string location) => location.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase);
        }
    }
}
