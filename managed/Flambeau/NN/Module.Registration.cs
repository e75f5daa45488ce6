using System.Collections;
using System.Runtime.CompilerServices;
using Flambeau.Modules;

namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public abstract partial class Module
        {
            private readonly OrderedDictionary<string, Parameter> ownParameters = [];
            private readonly OrderedDictionary<string, (Tensor Tensor, bool Persistent)> ownBuffers = [];
            private readonly OrderedDictionary<string, Module> ownModules = [];
            private readonly HashSet<string> bufferFields = []; // buffers that live in a field of the same name
            private object?[]? seen; // what the fields held when last looked at

            /// <summary>
            /// Registers the fields now, and Tensor fields as buffers. Not needed for modules and parameters, which are found when asked for;
            /// a Tensor is a buffer only after this call or register_buffer.
            /// </summary>
            protected virtual void RegisterComponents()
            {
                foreach (ComponentField field in ComponentField.Of(GetType()))
                {
                    if (field.Value(this) is not Tensor t || t is Modules.Parameter || ownBuffers.Any(b => ReferenceEquals(b.Value.Tensor, t))) continue;
                    register_buffer(field.Name, t);
                }
                Sync();
            }

            /// <summary>Adds a child under a name, in place of one that has the name.</summary>
            public virtual void register_module(string name, Module submodule)
            {
                CheckName("register_module", name);
                ArgumentNullException.ThrowIfNull(submodule);
                if (ReferenceEquals(submodule, this)) throw Error.Argument("register_module", $"'{name}' cannot be a child of itself");
                ownModules[name] = submodule;
            }

            public void add_module(string name, Module module) => register_module(name, module);

            /// <summary>Adds a parameter under a name, in place of one that has the name; null takes it away.</summary>
            public virtual void register_parameter(string name, Parameter? param)
            {
                CheckName("register_parameter", name);
                if (param is null) ownParameters.Remove(name);
                else ownParameters[name] = param;
            }

            /// <summary>Adds a tensor that is part of the state but not trained; state_dict leaves it out if it is not persistent.</summary>
            public virtual void register_buffer(string name, Tensor? tensor, bool persistent = true)
            {
                CheckName("register_buffer", name);
                if (tensor is null)
                {
                    ownBuffers.Remove(name);
                    return;
                }
                ownBuffers[name] = (tensor.DetachFromDisposeScope(), persistent);
                if (ComponentField.Of(GetType()).Any(f => f.Name == name && ReferenceEquals(f.Value(this), tensor))) bufferFields.Add(name);
            }

            /// <summary>Forgets all children.</summary>
            protected void ClearModules() => ownModules.Clear();

            private protected void ClearParameters() => ownParameters.Clear();

            private protected void Unregister(string name)
            {
                ownModules.Remove(name);
                ownParameters.Remove(name);
            }

            private void CheckName(string op, string name)
            {
                ArgumentNullException.ThrowIfNull(name);
                if (name.Length == 0) throw Error.Argument(op, "a component needs a name");
                if (name.Contains('.')) throw Error.Argument(op, $"the name '{name}' must not contain a dot");
                int others = 0;
                if (op != "register_module" && ownModules.ContainsKey(name)) others++;
                if (op != "register_parameter" && ownParameters.ContainsKey(name)) others++;
                if (op != "register_buffer" && ownBuffers.ContainsKey(name)) others++;
                if (others > 0) throw Error.Argument(op, $"'{name}' is already the name of another kind of component of {GetName()}");
            }

            /// <summary>Brings the registration up to date with the fields.</summary>
            private void Sync()
            {
                // Every walk over the tree passes here: a module that contains itself ends in an exception, not in a stack overflow.
                RuntimeHelpers.EnsureSufficientExecutionStack();
                ComponentField[] fields = ComponentField.Of(GetType());
                if (fields.Length == 0) return;
                var now = new object?[fields.Length];
                bool same = seen != null;
                for (int i = 0; i < fields.Length; i++)
                {
                    now[i] = fields[i].Value(this);
                    same &= !fields[i].IsCollection && ReferenceEquals(now[i], seen?[i]);
                }
                if (same) return;
                object?[]? before = seen;
                seen = now;
                CheckDuplicates(fields, now);
                for (int i = 0; i < fields.Length; i++)
                    if (fields[i].IsCollection) AdoptCollection(fields[i].Name, now[i], now);
                    else if (!ReferenceEquals(now[i], before?[i])) Adopt(fields[i].Name, now[i], before?[i]);
            }

            private void CheckDuplicates(ComponentField[] fields, object?[] values)
            {
                var names = new Dictionary<string, int>();
                for (int i = 0; i < fields.Length; i++)
                {
                    if (values[i] is null || (values[i] is Tensor and not Modules.Parameter && !bufferFields.Contains(fields[i].Name))) continue;
                    if (!names.TryAdd(fields[i].Name, i))
                        throw Error.State("register", $"{fields[names[fields[i].Name]].Where} and {fields[i].Where} have one name, '{fields[i].Name}'; give one of them [ComponentName(Name = ...)]");
                }
            }

            private void Adopt(string name, object? value, object? old)
            {
                if (value is null)
                {
                    if (ownModules.TryGetValue(name, out Module? m) && ReferenceEquals(m, old)) ownModules.Remove(name);
                    if (ownParameters.TryGetValue(name, out Parameter? p) && ReferenceEquals(p, old)) ownParameters.Remove(name);
                }
                switch (value)
                {
                    case Module m when !ownModules.Any(c => c.Key != name && ReferenceEquals(c.Value, m) && !IsField(c.Key)):
                        register_module(name, m);
                        break;
                    case Parameter p when !ownParameters.Any(c => c.Key != name && ReferenceEquals(c.Value, p) && !IsField(c.Key)):
                        register_parameter(name, p);
                        break;
                    case Tensor t when t is not Modules.Parameter && bufferFields.Contains(name):
                        ownBuffers[name] = (t, ownBuffers[name].Persistent);
                        break;
                }
            }

            private bool IsField(string name) => Array.Exists(ComponentField.Of(GetType()), f => f.Name == name);

            /// <summary>A list, array or dictionary of modules or parameters becomes a child as a ModuleList, ... would; what is registered elsewhere is left out.</summary>
            private void AdoptCollection(string name, object? value, object?[] fieldValues)
            {
                FieldGroup? group = ownModules.TryGetValue(name, out Module? old) ? old as FieldGroup : null;
                if (old != null && group is null) return;
                var reachable = new HashSet<object>(ReferenceEqualityComparer.Instance) { this };
                foreach ((string key, Module child) in ownModules)
                    if (child is not FieldGroup || key != name) Reach(child, reachable);
                foreach (object? other in fieldValues)
                    if (other is Module m) Reach(m, reachable);
                reachable.UnionWith(ownParameters.Values);
                var wanted = Entries(value).Where(e => !reachable.Contains(e.Value)).ToList();
                if (wanted.Count == 0)
                {
                    if (group != null) ownModules.Remove(name);
                    return;
                }
                if (group is null) ownModules[name] = group = new FieldGroup(value is IDictionary ? "Dict" : "List");
                group.Fill(wanted);
            }

            private static void Reach(Module module, HashSet<object> found)
            {
                if (!found.Add(module)) return;
                found.UnionWith(module.ownParameters.Values);
                foreach (Module child in module.Children.Values) Reach(child, found);
            }

            private static IEnumerable<(string Key, object Value)> Entries(object? value)
            {
                if (value is IDictionary dictionary)
                {
                    foreach (DictionaryEntry e in dictionary)
                        if (e.Value is Module or Modules.Parameter) yield return (e.Key.ToString()!, e.Value);
                }
                else if (value is IList list)
                {
                    for (int i = 0; i < list.Count; i++)
                        if (list[i] is Module or Modules.Parameter) yield return (i.ToString(System.Globalization.CultureInfo.InvariantCulture), list[i]!);
                }
            }

            /// <summary>The children of a plain list, array or dictionary in a field.</summary>
            private sealed class FieldGroup(string shape) : Module
            {
                private protected override string ReportedName => (ownParameters.Count > 0 ? "Parameter" : "Module") + shape;

                internal void Fill(List<(string Key, object Value)> entries)
                {
                    ownModules.Clear();
                    ownParameters.Clear();
                    foreach ((string key, object value) in entries)
                        if (value is Module m) register_module(key, m);
                        else register_parameter(key, (Parameter)value);
                }
            }
        }
    }
}
