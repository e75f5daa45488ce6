using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>A dictionary whose modules are children under their keys.</summary>
            public static ModuleDict<T> ModuleDict<T>(params (string, T)[] modules) where T : Module => new(modules);

            public static ModuleDict<Module> ModuleDict(params (string, Module)[] modules) => new(modules);

            /// <summary>A dictionary whose parameters are registered under their keys.</summary>
            public static ParameterDict ParameterDict(params (string, Parameter)[] parameters) => new(parameters);
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>A dictionary of components that are registered under their keys, in order of arrival.</summary>
    public abstract class ComponentDict<T> : torch.nn.Module, IEnumerable<(string, T)>
        where T : class
    {
        private readonly OrderedDictionary<string, T> entries = [];

        private protected ComponentDict(string name, (string, T)[] initial) : base(name)
        {
            foreach ((string key, T value) in initial) Add(key, value);
        }

        private protected abstract void Register(string key, T value);

        public int Count => entries.Count;

        public bool IsReadOnly => false;

        public T this[string key]
        {
            get => entries.TryGetValue(key, out T? value) ? value : throw Error.Argument(GetName(), $"there is no entry '{key}'");
            set
            {
                Register(key, value);
                entries[key] = value;
            }
        }

        public (string, T) this[int index] => (entries.GetAt(index).Key, entries.GetAt(index).Value);

        public void Add(string key, T value)
        {
            if (entries.ContainsKey(key)) throw Error.Argument(GetName(), $"there is an entry '{key}' already");
            Register(key, value);
            entries.Add(key, value);
        }

        public void Add((string, T) item) => Add(item.Item1, item.Item2);

        public bool Remove(string key)
        {
            Unregister(key);
            return entries.Remove(key);
        }

        public void Clear()
        {
            foreach (string key in entries.Keys) Unregister(key);
            entries.Clear();
        }

        public void clear() => Clear();

        public bool ContainsKey(string key) => entries.ContainsKey(key);

        public bool TryGetValue(string key, [MaybeNullWhen(false)] out T value) => entries.TryGetValue(key, out value);

        public ICollection<string> Keys => entries.Keys;

        public ICollection<T> Values => entries.Values;

        public IEnumerable<string> keys() => entries.Keys;

        public IEnumerable<T> values() => entries.Values;

        public IEnumerator<(string, T)> items() => GetEnumerator();

        public IEnumerator<(string, T)> GetEnumerator() => entries.Select(e => (e.Key, e.Value)).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>A dictionary whose modules are children under their keys.</summary>
    public class ModuleDict<T>(params (string, T)[] modules) : ComponentDict<T>("ModuleDict", modules)
        where T : torch.nn.Module
    {
        private protected override string ReportedName => "ModuleDict";

        private protected override void Register(string key, T value) => register_module(key, value);
    }

    /// <summary>A dictionary whose parameters are registered under their keys.</summary>
    public class ParameterDict(params (string, Parameter)[] parameters) : ComponentDict<Parameter>(nameof(ParameterDict), parameters)
    {
        private protected override void Register(string key, Parameter value) => register_parameter(key, value);
    }
}
