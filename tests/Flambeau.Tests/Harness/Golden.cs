using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>Recorded PyTorch samples (tests/golden/opinfo.zip, made by pack_opinfo.py).</summary>
internal static class Golden
{
    private static readonly Lazy<Dictionary<string, (byte[] Json, byte[] Data)>> Files = new(Load);
    private static readonly Dictionary<string, RecordedOp> Parsed = [];

    internal static string Folder { get; } = Find();

    internal static RecordedOp Read(string id)
    {
        lock (Parsed)
        {
            if (Parsed.TryGetValue(id, out RecordedOp? op)) return op;
            if (!Files.Value.TryGetValue(id, out var file)) throw new InvalidDataException($"no recorded op '{id}': add it to tests/golden/ops.txt and run pack_opinfo.py");
            return Parsed[id] = new RecordedOp(JsonDocument.Parse(file.Json).RootElement, file.Data);
        }
    }

    private static Dictionary<string, (byte[], byte[])> Load()
    {
        var files = new Dictionary<string, (byte[], byte[])>();
        using ZipArchive zip = ZipFile.OpenRead(Path.Combine(Folder, "opinfo.zip"));
        foreach (ZipArchiveEntry entry in zip.Entries.Where(e => e.Name.EndsWith(".json", StringComparison.Ordinal)))
        {
            string id = entry.Name[..^5];
            files[id] = (Bytes(entry), Bytes(zip.GetEntry(id + ".bin")!));
        }
        return files;
    }

    private static byte[] Bytes(ZipArchiveEntry entry)
    {
        using Stream s = entry.Open();
        using var m = new MemoryStream();
        s.CopyTo(m);
        return m.ToArray();
    }

    private static string Find()
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d != null; d = d.Parent)
        {
            string folder = Path.Combine(d.FullName, "tests", "golden");
            if (Directory.Exists(folder)) return folder;
        }
        string beside = Path.Combine(AppContext.BaseDirectory, "golden");
        return Directory.Exists(beside) ? beside : throw new DirectoryNotFoundException($"no tests/golden above {AppContext.BaseDirectory}");
    }
}

internal sealed class RecordedOp
{
    internal RecordedOp(JsonElement json, byte[] data)
    {
        Id = json.GetProperty("id").GetString()!;
        Dtypes = [.. json.GetProperty("dtypes").EnumerateArray().Select(e => e.GetString()!)];
        Samples = [.. json.GetProperty("samples").EnumerateArray().Select((s, i) => new Sample(Id, i, s, data))];
    }

    internal string Id { get; }

    internal HashSet<string> Dtypes { get; }

    internal Sample[] Samples { get; }
}

internal sealed record Slice(long? Start, long? Stop, long? Step);

internal sealed class EllipsisMark
{
    internal static readonly EllipsisMark Instance = new();
}

/// <summary>One recorded call: arguments, results, gradients of the results and of the arguments.</summary>
internal sealed class Sample(string op, int number, JsonElement json, byte[] data)
{
    internal string Dtype { get; } = json.GetProperty("dtype").GetString()!;

    internal bool Deterministic => json.GetProperty("deterministic").GetBoolean();

    /// <summary>True if the recorded gradients belong to the plain output.</summary>
    internal bool HasGradients => json.GetProperty("grads") is { ValueKind: JsonValueKind.Object } g && g.EnumerateObject().Any()
        && json.GetProperty("processed").ValueKind == JsonValueKind.Null;

    public override string ToString() => $"{op} sample {number} ({Dtype}) args {json.GetProperty("input")} {json.GetProperty("args")} {json.GetProperty("kwargs")}";

    /// <summary>Fresh tensors; leaves require gradients where they did.</summary>
    internal Args Arguments(Func<Tensor, Tensor>? change = null) => ArgumentsByKey(change is null ? null : (_, x) => change(x));

    internal Args ArgumentsByKey(Func<string, Tensor, Tensor>? change)
    {
        var tensors = new Dictionary<string, Tensor>();
        object? Value(JsonElement e) => Parse(e, key => tensors.TryGetValue(key, out Tensor? t) ? t : tensors[key] = Fresh(key, change));
        var positional = new List<object?> { Value(json.GetProperty("input")) };
        positional.AddRange(json.GetProperty("args").EnumerateArray().Select(Value));
        var named = json.GetProperty("kwargs").EnumerateObject().ToDictionary(p => p.Name, p => Value(p.Value));
        return new Args(positional, named, tensors);
    }

    internal List<Tensor> Outputs() => [.. Tensors(Parse(json.GetProperty("output"), Make))];

    internal object? Output() => Parse(json.GetProperty("output"), Make);

    internal List<Tensor> Cotangents() => [.. json.GetProperty("cotangents").EnumerateArray().Select(e => (Tensor)Parse(e, Make)!)];

    internal IEnumerable<(string Key, Tensor? Gradient)> Gradients() =>
        json.GetProperty("grads").EnumerateObject().Select(p => (p.Name, p.Value.ValueKind == JsonValueKind.Null ? null : Make(p.Value.GetString()!)));

    internal static IEnumerable<Tensor> Tensors(object? value) => value switch
    {
        Tensor t => [t],
        System.Collections.IEnumerable list and not string => list.Cast<object?>().SelectMany(Tensors),
        System.Runtime.CompilerServices.ITuple tuple => Enumerable.Range(0, tuple.Length).SelectMany(i => Tensors(tuple[i])),
        _ => [],
    };

    private static object? Parse(JsonElement e, Func<string, Tensor> tensor)
    {
        switch (e.ValueKind)
        {
            case JsonValueKind.Null: return null;
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            case JsonValueKind.String: return e.GetString();
            case JsonValueKind.Number: return e.TryGetInt64(out long n) ? (object)n : e.GetDouble();
            case JsonValueKind.Array: return e.EnumerateArray().Select(x => Parse(x, tensor)).ToList();
        }
        JsonProperty p = e.EnumerateObject().First();
        return p.Name switch
        {
            "t" => tensor(p.Value.GetString()!),
            "f" => Float(p.Value.GetString()!),
            "tuple" or "size" => p.Value.EnumerateArray().Select(x => Parse(x, tensor)).ToList(),
            "slice" => Slice([.. p.Value.EnumerateArray().Select(x => Parse(x, tensor))]),
            "ellipsis" => EllipsisMark.Instance,
            "dtype" => ParseDtype(p.Value.GetString()!),
            "dict" => p.Value.EnumerateObject().ToDictionary(q => q.Name, q => Parse(q.Value, tensor)),
            _ => $"{p.Name}:{p.Value}",
        };
    }

    private static Slice Slice(object?[] parts) => new((long?)parts[0], (long?)parts[1], (long?)parts[2]);

    private static double Float(string text) => text switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" => double.NaN,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    internal static ScalarType ParseDtype(string name) => Enum.GetValues<ScalarType>().First(t => t.name() == name);

    private Tensor Fresh(string key, Func<string, Tensor, Tensor>? change)
    {
        Tensor t = Make(key);
        if (change != null) t = change(key, t);
        bool leaf = json.GetProperty("tensors").GetProperty(key)[4].GetBoolean();
        return leaf && t.is_floating_point() ? t.requires_grad_() : t;
    }

    private Tensor Make(string key)
    {
        JsonElement record = json.GetProperty("tensors").GetProperty(key);
        long[] Longs(int i) => [.. record[i].EnumerateArray().Select(x => x.GetInt64())];
        return Build(data.AsSpan((int)record[0].GetInt64()), ParseDtype(record[1].GetString()!), Longs(2), Longs(3));
    }

    private static unsafe Tensor Build(ReadOnlySpan<byte> bytes, ScalarType dtype, long[] sizes, long[] strides)
    {
        var dense = new Tensor(sizes, dtype, CPU);
        using (Borrow b = dense.Borrow("golden", out Interop.flam_tensor v))
            bytes[..(int)(dense.numel() * dtype.ElementSize())].CopyTo(new Span<byte>(v.data, int.MaxValue));
        if (dense.numel() == 0 || dense.strides.AsSpan().SequenceEqual(strides)) return dense;
        long room = 1 + sizes.Zip(strides, (n, s) => (n - 1) * s).Sum();
        Tensor laid = new Tensor([room], dtype, CPU).Raw(sizes, strides, 0);
        Elementwise.Copy("golden", dense, laid);
        return laid;
    }
}

/// <summary>The arguments of a recorded call by position (0 is the input) or keyword.</summary>
internal sealed class Args(List<object?> positional, Dictionary<string, object?> named, Dictionary<string, Tensor> tensors)
{
    internal Dictionary<string, Tensor> ByKey => tensors;

    internal int Count => positional.Count;

    internal bool Has(int i, string name = "") => (i >= 0 && i < positional.Count) || named.ContainsKey(name);

    internal object? Raw(int i, string name = "") => i >= 0 && i < positional.Count ? positional[i] : named.GetValueOrDefault(name);

    /// <summary>Everything from position i on.</summary>
    internal List<object?> Rest(int i) => positional[i..];

    internal Tensor T(int i, string name = "") => (Tensor)Raw(i, name)!;

    internal Tensor? TN(int i, string name = "") => (Tensor?)Raw(i, name);

    internal Tensor[] Ts(int i, string name = "") => [.. ((List<object?>)Raw(i, name)!).Cast<Tensor>()];

    internal long L(int i, string name = "", long otherwise = 0) => Raw(i, name) is { } v ? Convert.ToInt64(v, CultureInfo.InvariantCulture) : otherwise;

    internal long? LN(int i, string name = "") => Raw(i, name) is { } v ? Convert.ToInt64(v, CultureInfo.InvariantCulture) : null;

    internal int I(int i, string name = "", int otherwise = 0) => (int)L(i, name, otherwise);

    internal double D(int i, string name = "", double otherwise = 0) => Raw(i, name) is { } v ? Convert.ToDouble(v, CultureInfo.InvariantCulture) : otherwise;

    internal double? DN(int i, string name = "") => Raw(i, name) is { } v ? Convert.ToDouble(v, CultureInfo.InvariantCulture) : null;

    internal bool B(int i, string name = "", bool otherwise = false) => Raw(i, name) is bool v ? v : otherwise;

    internal string S(int i, string name = "", string otherwise = "") => Raw(i, name) as string ?? otherwise;

    internal ScalarType? Dtype(int i, string name = "dtype") => Raw(i, name) as ScalarType?;

    /// <summary>A number as a Scalar, keeping its kind.</summary>
    internal Scalar Number(int i, string name = "", double otherwise = 0) => NumberOrNull(i, name) ?? otherwise;

    internal Scalar? NumberOrNull(int i, string name = "") => Raw(i, name) switch
    {
        bool b => b,
        long n => n,
        double d => d,
        _ => null,
    };

    /// <summary>A list of integers; a single one becomes a list of one; null if absent.</summary>
    internal long[]? Ls(int i, string name = "") => Raw(i, name) switch
    {
        null => null,
        List<object?> list => [.. list.Select(v => Convert.ToInt64(v, CultureInfo.InvariantCulture))],
        object v => [Convert.ToInt64(v, CultureInfo.InvariantCulture)],
    };

    /// <summary>n integers: one given stands for all.</summary>
    internal long[] Spread(int n, int i, string name, long otherwise)
    {
        long[] given = Ls(i, name) ?? [otherwise];
        return given.Length == n ? given : [.. Enumerable.Repeat(given[0], n)];
    }

    internal bool IsTensor(int i, string name = "") => Raw(i, name) is Tensor;
}
