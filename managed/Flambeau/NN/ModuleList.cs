using System.Collections;
using System.Globalization;
using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>A list whose modules are children under their numbers.</summary>
            public static ModuleList<T> ModuleList<T>(params T[] modules) where T : Module => new(modules);

            public static ModuleList<Module> ModuleList(params Module[] modules) => new(modules);

            /// <summary>A list whose parameters are registered under their numbers.</summary>
            public static ParameterList ParameterList(params Parameter[] parameters) => new(parameters);
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>A list whose modules are children under their numbers.</summary>
    public class ModuleList<T> : torch.nn.Module, IList<T>
        where T : torch.nn.Module
    {
        private readonly List<T> items = [];

        public ModuleList(params T[] modules) : base("ModuleList") => extend(modules);

        private protected override string ReportedName => "ModuleList";

        public int Count => items.Count;

        public bool IsReadOnly => false;

        public T this[int index]
        {
            get => items[index];
            set
            {
                items[index] = value;
                base.register_module(Name(index), value);
            }
        }

        private static string Name(int i) => i.ToString(CultureInfo.InvariantCulture);

        /// <summary>Replaces the module of that number, or adds one at the end.</summary>
        public override void register_module(string name, torch.nn.Module submodule)
        {
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int i) || i > items.Count || submodule is not T module)
                throw Error.Argument("ModuleList", $"'{name}' is not the number of a module, or {submodule?.GetName()} is not of type {typeof(T).Name}");
            if (i == items.Count) items.Add(module);
            else items[i] = module;
            base.register_module(name, submodule);
        }

        private void Renumber()
        {
            ClearModules();
            for (int i = 0; i < items.Count; i++) base.register_module(Name(i), items[i]);
        }

        public void Add(T item)
        {
            base.register_module(Name(items.Count), item);
            items.Add(item);
        }

        public void append(params T[] modules) => extend(modules);

        public void extend(IEnumerable<T> modules)
        {
            ArgumentNullException.ThrowIfNull(modules);
            foreach (T m in modules) Add(m);
        }

        public void Insert(int index, T item)
        {
            items.Insert(index, item);
            Renumber();
        }

        public bool Remove(T item)
        {
            bool found = items.Remove(item);
            Renumber();
            return found;
        }

        public void RemoveAt(int index)
        {
            items.RemoveAt(index);
            Renumber();
        }

        public void Clear()
        {
            items.Clear();
            ClearModules();
        }

        public bool Contains(T item) => items.Contains(item);

        public int IndexOf(T item) => items.IndexOf(item);

        public void CopyTo(T[] array, int arrayIndex) => items.CopyTo(array, arrayIndex);

        public IEnumerator<T> GetEnumerator() => items.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>A list whose parameters are registered under their numbers.</summary>
    public class ParameterList : torch.nn.Module, IList<Parameter>
    {
        private readonly List<Parameter> items = [];

        public ParameterList(params Parameter[] parameters) : base(nameof(ParameterList)) => extend(parameters);

        public int Count => items.Count;

        public bool IsReadOnly => false;

        public Parameter this[int index]
        {
            get => items[index];
            set
            {
                items[index] = value;
                register_parameter(Name(index), value);
            }
        }

        private static string Name(int i) => i.ToString(CultureInfo.InvariantCulture);

        private void Renumber()
        {
            ClearParameters();
            for (int i = 0; i < items.Count; i++) register_parameter(Name(i), items[i]);
        }

        public void Add(Parameter item)
        {
            register_parameter(Name(items.Count), item);
            items.Add(item);
        }

        public void append(params Parameter[] parameters) => extend(parameters);

        public void extend(IEnumerable<Parameter> parameters)
        {
            ArgumentNullException.ThrowIfNull(parameters);
            foreach (Parameter p in parameters) Add(p);
        }

        public void Insert(int index, Parameter item)
        {
            items.Insert(index, item);
            Renumber();
        }

        public bool Remove(Parameter item)
        {
            int at = IndexOf(item);
            if (at >= 0) RemoveAt(at);
            return at >= 0;
        }

        public void RemoveAt(int index)
        {
            items.RemoveAt(index);
            Renumber();
        }

        public void Clear()
        {
            items.Clear();
            ClearParameters();
        }

        public bool Contains(Parameter item) => IndexOf(item) >= 0;

        public int IndexOf(Parameter item) => items.FindIndex(p => ReferenceEquals(p, item));

        public void CopyTo(Parameter[] array, int arrayIndex) => items.CopyTo(array, arrayIndex);

        public IEnumerator<Parameter> GetEnumerator() => items.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
