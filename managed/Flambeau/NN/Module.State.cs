using System.Text;
using Flambeau.Modules;

namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public abstract partial class Module
        {
            /// <summary>
            /// All parameters and persistent buffers by path, in PyTorch's order: own parameters, own buffers, then the children.
            /// The tensors share the module's memory and are outside the graph.
            /// </summary>
            public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
            {
                Dictionary<string, Tensor> state = destination ?? [];
                foreach ((string path, Tensor t) in StateEntries(prefix)) state[path] = t.detach();
                return state;
            }

            // A module or tensor that is shared appears under each of its names, as in PyTorch.
            private List<(string Path, Tensor Tensor)> StateEntries(string? prefix)
            {
                var list = new List<(string, Tensor)>();
                string start = string.IsNullOrEmpty(prefix) || prefix.EndsWith('.') ? prefix ?? "" : prefix + ".";
                Collect(start, true, (m, at) =>
                {
                    foreach ((string key, Parameter p) in m.Parameters) list.Add((at + key, p));
                    foreach ((string key, (Tensor b, bool persistent)) in m.Buffers)
                        if (persistent) list.Add((at + key, b));
                }, null);
                return list;
            }

            /// <summary>Copies the tensors of a dictionary into the parameters and buffers of the same path, converting dtype and device.</summary>
            /// <param name="strict">Missing and unexpected keys are an error.</param>
            /// <param name="skip">Keys to leave alone.</param>
            /// <exception cref="InvalidOperationException">Lists all missing keys, unexpected keys and shapes that differ; nothing has been copied then.</exception>
            public virtual (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(Dictionary<string, Tensor> source, bool strict = true, IList<string>? skip = null)
            {
                ArgumentNullException.ThrowIfNull(source);
                var skipped = new HashSet<string>(skip ?? []);
                var entries = StateEntries(null).Where(e => !skipped.Contains(e.Path)).ToList();
                var known = entries.Select(e => e.Path).ToHashSet();
                List<string> missing = [.. entries.Select(e => e.Path).Where(k => !source.ContainsKey(k))];
                List<string> unexpected = [.. source.Keys.Where(k => !known.Contains(k) && !skipped.Contains(k))];
                List<string> misfits = [];
                foreach ((string path, Tensor t) in entries)
                    if (source.TryGetValue(path, out Tensor? s) && !s.sizes.AsSpan().SequenceEqual(t.sizes))
                        misfits.Add($"{path}: the source has {Error.Shape(s.sizes)}, the module {Error.Shape(t.sizes)}");
                ReportMisfits(strict ? missing : [], strict ? unexpected : [], misfits);
                using (no_grad())
                    foreach ((string path, Tensor t) in entries)
                        if (source.TryGetValue(path, out Tensor? s)) t.copy_(s.detach().to(t.device));
                return (missing, unexpected);
            }

            private void ReportMisfits(List<string> missing, List<string> unexpected, List<string> misfits)
            {
                if (missing.Count + unexpected.Count + misfits.Count == 0) return;
                var text = new StringBuilder($"the state does not fit {GetName()}");
                if (missing.Count > 0) text.Append($"\n  missing keys: {string.Join(", ", missing)}");
                if (unexpected.Count > 0) text.Append($"\n  unexpected keys: {string.Join(", ", unexpected)}");
                if (misfits.Count > 0) text.Append($"\n  shapes that differ:\n    {string.Join("\n    ", misfits)}");
                throw Error.State("load_state_dict", text.ToString());
            }

            internal void Move(ScalarType? dtype, Device? device)
            {
                if (device is not null) Available("to", device);
                if (dtype is { } d && !d.is_floating_point()) throw Error.Argument("to", $"a module can be converted to floating-point dtypes only, not to {d.name()}");
                foreach (Tensor t in parameters().Concat(buffers()).ToList())
                    t.MoveData(t.is_floating_point() && dtype is { } wanted ? wanted : t.dtype, device ?? t.device);
                foreach (Module m in modules().Append(this)) m.AfterMove(dtype, device);
            }

            private protected virtual void AfterMove(ScalarType? dtype, Device? device) { }
        }
    }
}

/// <summary>Conversions of whole modules. Parameters and buffers keep their identity, so optimizers made before stay valid.</summary>
public static class ModuleExtensionMethods
{
    /// <summary>Moves all parameters and buffers.</summary>
    /// <exception cref="InvalidOperationException">The device is not available; the text says why.</exception>
    public static T to<T>(this T module, torch.Device device, bool non_blocking = false) where T : torch.nn.Module => Moved(module, null, device);

    public static T to<T>(this T module, string device, bool non_blocking = false) where T : torch.nn.Module => Moved(module, null, new torch.Device(device));

    public static T to<T>(this T module, DeviceType deviceType, int deviceIndex = -1, bool non_blocking = false) where T : torch.nn.Module =>
        Moved(module, null, new torch.Device(deviceType, deviceIndex));

    /// <summary>Converts all floating-point parameters and buffers; integer buffers stay as they are.</summary>
    public static T to<T>(this T module, torch.ScalarType type, bool non_blocking = false) where T : torch.nn.Module => Moved(module, type, null);

    public static T to<T>(this T module, torch.Device device, torch.ScalarType type, bool non_blocking = false) where T : torch.nn.Module => Moved(module, type, device);

    public static T to<T>(this T module, torch.Tensor other, bool non_blocking = false) where T : torch.nn.Module => Moved(module, other.dtype, other.device);

    public static T cpu<T>(this T module, bool non_blocking = false) where T : torch.nn.Module => Moved(module, null, torch.CPU);

    public static T cuda<T>(this T module, int deviceIndex = -1, bool non_blocking = false) where T : torch.nn.Module =>
        Moved(module, null, new torch.Device(DeviceType.CUDA, deviceIndex));

    public static T half<T>(this T module, bool non_blocking = false) where T : torch.nn.Module => Moved(module, torch.ScalarType.Float16, null);

    public static T bfloat16<T>(this T module, bool non_blocking = false) where T : torch.nn.Module => Moved(module, torch.ScalarType.BFloat16, null);

    public static T @float<T>(this T module, bool non_blocking = false) where T : torch.nn.Module => Moved(module, torch.ScalarType.Float32, null);

    public static T @double<T>(this T module, bool non_blocking = false) where T : torch.nn.Module => Moved(module, torch.ScalarType.Float64, null);

    private static T Moved<T>(T module, torch.ScalarType? dtype, torch.Device? device) where T : torch.nn.Module
    {
        ArgumentNullException.ThrowIfNull(module);
        module.Move(dtype, device);
        return module;
    }
}
