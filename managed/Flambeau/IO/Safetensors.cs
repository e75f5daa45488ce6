using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Flambeau;

public static partial class torch
{
    public static partial class utils
    {
        /// <summary>
        /// The safetensors format: 8 bytes with the length of a JSON header, the header, then the elements of all tensors.
        /// Source: the format's description at github.com/huggingface/safetensors.
        /// </summary>
        public static class safetensors
        {
            private const long LargestHeader = 100_000_000; // the format's own limit

            private sealed record Entry(string Name, ScalarType Dtype, long[] Shape, long Start, long End);

            /// <summary>Writes tensors, and text to go with them, to a file that appears only when it is complete.</summary>
            public static void save_file(IReadOnlyDictionary<string, Tensor> tensors, string path, IReadOnlyDictionary<string, string>? metadata = null)
            {
                ArgumentNullException.ThrowIfNull(tensors);
                AtomicFile.Write(path, stream => Save(tensors, stream, metadata));
            }

            private static void Save(IReadOnlyDictionary<string, Tensor> tensors, Stream stream, IReadOnlyDictionary<string, string>? metadata)
            {
                byte[] header = Header(tensors, metadata);
                Span<byte> length = stackalloc byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
                stream.Write(length);
                stream.Write(header);
                foreach (Tensor t in tensors.Values) TensorBytes.Write(stream, t);
            }

            private static byte[] Header(IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata)
            {
                using var buffer = new MemoryStream();
                using (var json = new Utf8JsonWriter(buffer))
                {
                    json.WriteStartObject();
                    if (metadata is { Count: > 0 })
                    {
                        json.WriteStartObject("__metadata__");
                        foreach ((string key, string value) in metadata) json.WriteString(key, value);
                        json.WriteEndObject();
                    }
                    long at = 0;
                    foreach ((string key, Tensor t) in tensors)
                    {
                        long end = at + t.numel() * t.ElementSize;
                        json.WriteStartObject(key);
                        json.WriteString("dtype", Name(t.dtype));
                        WriteLongs(json, "shape", t.sizes);
                        WriteLongs(json, "data_offsets", [at, end]);
                        json.WriteEndObject();
                        at = end;
                    }
                    json.WriteEndObject();
                }
                while (buffer.Length % 8 != 0) buffer.WriteByte((byte)' ');
                return buffer.ToArray();
            }

            private static void WriteLongs(Utf8JsonWriter json, string name, ReadOnlySpan<long> values)
            {
                json.WriteStartArray(name);
                foreach (long v in values) json.WriteNumberValue(v);
                json.WriteEndArray();
            }

            /// <summary>All tensors of a file by name. The header is checked against the size of the file before anything is allocated.</summary>
            /// <param name="device">The device to put them on; default: the CPU.</param>
            /// <exception cref="InvalidDataException">The file is cut short, or its header contradicts itself or the file.</exception>
            public static Dictionary<string, Tensor> load_file(string path, Device? device = null)
            {
                Device on = Available("load_file", device ?? CPU);
                using FileStream stream = File.OpenRead(path);
                (List<Entry> entries, long start) = ReadHeader(stream, path);
                var result = new Dictionary<string, Tensor>();
                foreach (Entry e in entries)
                {
                    stream.Position = start + e.Start;
                    result[e.Name] = TensorBytes.Read(stream, e.Shape, e.Dtype, path).to(on);
                }
                return result;
            }

            /// <summary>The text stored beside the tensors.</summary>
            public static Dictionary<string, string> load_metadata(string path)
            {
                using FileStream stream = File.OpenRead(path);
                using JsonDocument json = ParseHeader(stream, path, out _);
                var result = new Dictionary<string, string>();
                if (json.RootElement.TryGetProperty("__metadata__", out JsonElement m) && m.ValueKind == JsonValueKind.Object)
                    foreach (JsonProperty p in m.EnumerateObject())
                        if (p.Value.ValueKind == JsonValueKind.String) result[p.Name] = p.Value.GetString()!;
                return result;
            }

            private static JsonDocument ParseHeader(FileStream stream, string path, out long dataStart)
            {
                Span<byte> prefix = stackalloc byte[8];
                if (stream.Length < 8) throw Bad(path, $"has {stream.Length} bytes; a safetensors file has at least 8");
                stream.ReadExactly(prefix);
                long length = BinaryPrimitives.ReadInt64LittleEndian(prefix);
                if (length < 2 || length > LargestHeader || length > stream.Length - 8) throw Bad(path, $"has a header of {length} bytes in a file of {stream.Length}");
                var text = new byte[length];
                stream.ReadExactly(text);
                dataStart = 8 + length;
                try
                {
                    JsonDocument json = JsonDocument.Parse(text);
                    if (json.RootElement.ValueKind == JsonValueKind.Object) return json;
                    json.Dispose();
                }
                catch (JsonException e)
                {
                    throw Bad(path, $"has a header that is not JSON: {e.Message}");
                }
                throw Bad(path, "has a header that is not a JSON object");
            }

            private static (List<Entry> Entries, long Start) ReadHeader(FileStream stream, string path)
            {
                using JsonDocument json = ParseHeader(stream, path, out long start);
                long room = stream.Length - start;
                var entries = new List<Entry>();
                foreach (JsonProperty p in json.RootElement.EnumerateObject())
                    if (p.Name != "__metadata__") entries.Add(ReadEntry(p, path, room));
                long at = 0;
                foreach (Entry e in entries.OrderBy(e => e.Start).ThenBy(e => e.End))
                {
                    if (e.Start != at) throw Bad(path, $"has tensors that overlap or leave a gap: '{e.Name}' starts at {e.Start}, expected {at}");
                    at = e.End;
                }
                if (at != room) throw Bad(path, $"has {room} bytes of data; its header describes {at}");
                var names = new HashSet<string>();
                foreach (Entry e in entries)
                    if (!names.Add(e.Name)) throw Bad(path, $"names '{e.Name}' twice");
                return (entries, start);
            }

            private static Entry ReadEntry(JsonProperty p, string path, long room)
            {
                if (p.Value.ValueKind != JsonValueKind.Object || !p.Value.TryGetProperty("dtype", out JsonElement d) || d.ValueKind != JsonValueKind.String
                    || Longs(p.Value, "shape") is not { } shape || Longs(p.Value, "data_offsets") is not { Length: 2 } offsets)
                    throw Bad(path, $"has a bad entry for '{p.Name}': it needs dtype, shape and data_offsets");
                ScalarType dtype = Dtype(d.GetString()!) ?? throw Bad(path, $"has '{p.Name}' in {d.GetString()}, a dtype that Flambeau does not have");
                if (shape.Length > Shapes.MaxRank) throw Bad(path, $"has '{p.Name}' with {shape.Length} dimensions; {Shapes.MaxRank} is the most");
                if (offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] > room)
                    throw Bad(path, $"puts '{p.Name}' at bytes {offsets[0]} to {offsets[1]} of {room}");
                if (TensorBytes.Size(shape, dtype) is not { } bytes || bytes != offsets[1] - offsets[0])
                    throw Bad(path, $"gives '{p.Name}' of shape {Error.Shape(shape)} and {dtype.name()} {offsets[1] - offsets[0]} bytes");
                return new Entry(p.Name, dtype, shape, offsets[0], offsets[1]);
            }

            private static long[]? Longs(JsonElement e, string name)
            {
                if (!e.TryGetProperty(name, out JsonElement list) || list.ValueKind != JsonValueKind.Array) return null;
                var values = new List<long>();
                foreach (JsonElement v in list.EnumerateArray())
                {
                    if (v.ValueKind != JsonValueKind.Number || !v.TryGetInt64(out long n)) return null;
                    values.Add(n);
                }
                return [.. values];
            }

            private static InvalidDataException Bad(string path, string text) => Error.Data("safetensors", $"'{path}' {text}");

            private static string Name(ScalarType dtype) => dtype switch
            {
                ScalarType.Byte => "U8",
                ScalarType.Int8 => "I8",
                ScalarType.Int16 => "I16",
                ScalarType.Int32 => "I32",
                ScalarType.Int64 => "I64",
                ScalarType.Float16 => "F16",
                ScalarType.Float32 => "F32",
                ScalarType.Float64 => "F64",
                ScalarType.Bool => "BOOL",
                _ => "BF16",
            };

            private static ScalarType? Dtype(string name)
            {
                foreach (ScalarType t in Enum.GetValues<ScalarType>())
                    if (Name(t) == name) return t;
                return null;
            }
        }
    }
}
