using Flambeau.Modules;

namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        public abstract partial class Module
        {
            private protected OrderedDictionary<string, Module> Children
            {
                get
                {
                    Sync();
                    return ownModules;
                }
            }

            private protected OrderedDictionary<string, Parameter> Parameters
            {
                get
                {
                    Sync();
                    return ownParameters;
                }
            }

            private OrderedDictionary<string, (Tensor Tensor, bool Persistent)> Buffers
            {
                get
                {
                    Sync();
                    return ownBuffers;
                }
            }

            /// <summary>The direct children with their names, in order of registration.</summary>
            public virtual IEnumerable<(string name, Module module)> named_children()
            {
                var list = new List<(string, Module)>(Children.Count);
                foreach ((string key, Module child) in ownModules) list.Add((key, child));
                return list;
            }

            public virtual IEnumerable<Module> children() => named_children().Select(c => c.module);

            /// <summary>All modules below this one with their paths; as in TorchSharp this one is not among them, and children come before theirs.</summary>
            public virtual IEnumerable<(string name, Module module)> named_modules()
            {
                var list = new List<(string, Module)>(named_children());
                foreach ((string key, Module child) in named_children())
                    foreach ((string path, Module m) in child.named_modules()) list.Add(($"{key}.{path}", m));
                return list;
            }

            public virtual IEnumerable<Module> modules() => named_modules().Select(m => m.module);

            /// <summary>The parameters with their paths, own ones first, then depth first. A shared one appears once, under its first name.</summary>
            public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true)
            {
                var (list, found) = (new List<(string, Parameter)>(), new HashSet<object>(ReferenceEqualityComparer.Instance));
                Collect("", recurse, (m, prefix) =>
                {
                    foreach ((string key, Parameter p) in m.Parameters)
                        if (found.Add(p)) list.Add((prefix + key, p));
                });
                return list;
            }

            public virtual IEnumerable<Parameter> parameters(bool recurse = true) => named_parameters(recurse).Select(p => p.parameter);

            /// <summary>The buffers with their paths, own ones first, then depth first.</summary>
            public virtual IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true)
            {
                var (list, found) = (new List<(string, Tensor)>(), new HashSet<object>(ReferenceEqualityComparer.Instance));
                Collect("", recurse, (m, prefix) =>
                {
                    foreach ((string key, (Tensor b, bool persistent)) in m.Buffers)
                        if ((persistent || include_nonpersistent) && found.Add(b)) list.Add((prefix + key, b));
                });
                return list;
            }

            public virtual IEnumerable<Tensor> buffers(bool recurse = true, bool include_nonpersistent = true) => named_buffers(recurse, include_nonpersistent).Select(b => b.buffer);

            /// <summary>Visits this module and all below once each, depth first.</summary>
            private void Collect(string prefix, bool recurse, Action<Module, string> visit) =>
                Collect(prefix, recurse, visit, new HashSet<Module>(ReferenceEqualityComparer.Instance));

            private void Collect(string prefix, bool recurse, Action<Module, string> visit, HashSet<Module>? visited)
            {
                if (visited?.Add(this) == false) return;
                visit(this, prefix);
                if (!recurse) return;
                foreach ((string key, Module child) in named_children()) child.Collect($"{prefix}{key}.", recurse, visit, visited);
            }

            /// <summary>The module under a path such as "features.0"; "" is this one.</summary>
            /// <exception cref="ArgumentException">There is none.</exception>
            public virtual Module get_submodule(string target) =>
                Find(target) ?? throw Error.Argument("get_submodule", $"{GetName()} has no submodule '{target}'");

            private Module? Find(string target)
            {
                ArgumentNullException.ThrowIfNull(target);
                Module at = this;
                if (target.Length == 0) return at;
                foreach (string part in target.Split('.'))
                {
                    if (!at.Children.TryGetValue(part, out Module? next)) return null;
                    at = next;
                }
                return at;
            }

            private static (string Path, string Name) Split(string target)
            {
                ArgumentNullException.ThrowIfNull(target);
                int dot = target.LastIndexOf('.');
                return dot < 0 ? ("", target) : (target[..dot], target[(dot + 1)..]);
            }

            /// <summary>The parameter under a path such as "features.0.weight", or null.</summary>
            public virtual Parameter? get_parameter(string target)
            {
                (string path, string key) = Split(target);
                return Find(path) is { } m && m.Parameters.TryGetValue(key, out Parameter? p) ? p : null;
            }

            /// <summary>The buffer under a path, or null.</summary>
            public virtual Tensor? get_buffer(string target)
            {
                (string path, string key) = Split(target);
                return Find(path) is { } m && m.Buffers.TryGetValue(key, out (Tensor Tensor, bool) b) ? b.Tensor : null;
            }

            public virtual bool has_parameter(string target) => get_parameter(target) is not null;

            public virtual bool has_buffer(string target) => get_buffer(target) is not null;
        }
    }
}
