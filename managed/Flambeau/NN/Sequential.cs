using System.Globalization;
using Flambeau.Modules;

namespace Flambeau
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Modules one after the other: each gets what the one before it returned.</summary>
            public static Sequential Sequential() => new();

            public static Sequential Sequential(params Module<Tensor, Tensor>[] modules) => new(modules);

            public static Sequential Sequential(params (string name, Module<Tensor, Tensor> submodule)[] modules) => new(modules);

            public static Sequential Sequential(params Tuple<string, Module<Tensor, Tensor>>[] modules) => new([.. modules.Select(m => (m.Item1, m.Item2))]);

            public static Sequential Sequential(IEnumerable<Module<Tensor, Tensor>> modules) => new([.. modules]);

            public static Sequential Sequential(IEnumerable<(string name, Module<Tensor, Tensor> submodule)> modules) => new([.. modules]);

            public static Sequential Sequential(IEnumerable<Tuple<string, Module<Tensor, Tensor>>> modules) => new([.. modules.Select(m => (m.Item1, m.Item2))]);
        }
    }
}

namespace Flambeau.Modules
{
    /// <summary>Modules one after the other.</summary>
    public class Sequential : torch.nn.Module<torch.Tensor, torch.Tensor>
    {
        public Sequential() : base(nameof(Sequential)) { }

        public Sequential(params torch.nn.Module<torch.Tensor, torch.Tensor>[] modules) : base(nameof(Sequential))
        {
            foreach (torch.nn.Module<torch.Tensor, torch.Tensor> m in modules) append(m);
        }

        public Sequential(params (string name, torch.nn.Module<torch.Tensor, torch.Tensor> submodule)[] modules) : base(nameof(Sequential))
        {
            foreach ((string key, torch.nn.Module<torch.Tensor, torch.Tensor> m) in modules) append(key, m);
        }

        public int Count => Children.Count;

        /// <summary>Adds a module at the end, under its number or the given name.</summary>
        /// <exception cref="ArgumentException">The name is taken, or the module is not derived from nn.Module.</exception>
        public Sequential append(torch.nn.IModule<torch.Tensor, torch.Tensor> module) => append(Count.ToString(CultureInfo.InvariantCulture), module);

        public Sequential append(string name, torch.nn.IModule<torch.Tensor, torch.Tensor> module)
        {
            ArgumentNullException.ThrowIfNull(module);
            if (Children.ContainsKey(name)) throw Error.Argument("Sequential", $"there are two modules named '{name}'");
            register_module(name, module as torch.nn.Module ?? throw Error.Argument("Sequential", $"{module.GetType().Name} is not derived from nn.Module"));
            return this;
        }

        public override torch.Tensor forward(torch.Tensor input)
        {
            foreach (torch.nn.Module child in Children.Values)
                input = child is torch.nn.IModule<torch.Tensor, torch.Tensor> m ? m.call(input) : throw Error.State("Sequential", $"{child.GetName()} does not take one tensor to one tensor");
            return input;
        }

        /// <summary>Module number index; negative ones count from the end.</summary>
        public torch.nn.IModule<torch.Tensor, torch.Tensor> this[int index]
        {
            get
            {
                int at = index < 0 ? index + Count : index;
                if (at < 0 || at >= Count) throw Error.Range("Sequential", $"index {index} is out of range for {Count} modules");
                return (torch.nn.IModule<torch.Tensor, torch.Tensor>)Children.GetAt(at).Value;
            }
        }

        /// <summary>A part as a Sequential of the same modules.</summary>
        public Sequential this[Range index]
        {
            get
            {
                (int start, int length) = index.GetOffsetAndLength(Count);
                var part = new Sequential();
                for (int i = start; i < start + length; i++) part.register_module(Children.GetAt(i).Key, Children.GetAt(i).Value);
                return part;
            }
        }

        public Sequential this[(int? start, int? end) index] => this[(index.start ?? 0)..(index.end ?? Count)];
    }
}
