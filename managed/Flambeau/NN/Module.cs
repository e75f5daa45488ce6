using System.Diagnostics.CodeAnalysis;
using System.Text;
using Flambeau.Modules;

namespace Flambeau;

public static partial class torch
{
    /// <summary>Neural networks: modules, layers, losses, initialisers.</summary>
    public static partial class nn
    {
        /// <summary>
        /// The base of all layers and networks: a tree of parameters, buffers and submodules with names. Components held in fields or
        /// auto-properties of derived classes are found by themselves when they are needed; reassigned fields are noticed.
        /// </summary>
        [DynamicallyAccessedMembers(ComponentField.Needed)]
        public abstract partial class Module : IDisposable
        {
            protected string? name;
            private bool isTraining = true;

            protected Module() { }

            protected Module(string name) => this.name = name;

            /// <summary>The name given at construction, else the class's.</summary>
            public virtual string GetName() => name ?? TypeName;

            private string TypeName => ReportedName ?? (GetType().Name is var n && n.IndexOf('`') is > 0 and var at ? n[..at] : n);

            private protected virtual string? ReportedName => null;

            /// <summary>True while dropout drops and batch norm learns its statistics.</summary>
            public virtual bool training => isTraining;

            /// <summary>Training mode on (or off) for this module and all below.</summary>
            public virtual void train(bool train = true)
            {
                isTraining = train;
                foreach (Module child in children()) child.train(train);
            }

            public virtual void eval() => train(false);

            /// <summary>Calls <paramref name="fn"/> on every submodule, then on this one.</summary>
            public virtual Module apply(Action<Module> fn)
            {
                ArgumentNullException.ThrowIfNull(fn);
                foreach (Module child in children()) child.apply(fn);
                fn(this);
                return this;
            }

            /// <summary>Forgets the gradients of all parameters, or sets them to zero.</summary>
            public virtual void zero_grad(bool set_to_none = true)
            {
                foreach (Parameter p in parameters()) ZeroGrad(p, set_to_none);
            }

            internal static void ZeroGrad(Tensor p, bool setToNone)
            {
                if (p.grad is not { } g) return;
                if (setToNone) p.grad = null;
                else p.grad = zeros(g.sizes, g.dtype, g.device);
            }

            /// <summary>Whether the parameters of this module and all below take part in training.</summary>
            public virtual Module requires_grad_(bool requires_grad = true)
            {
                foreach (Parameter p in parameters()) p.requires_grad = requires_grad;
                return this;
            }

            /// <summary>What a layer prints between its brackets: "in_features=2, out_features=3, bias=True".</summary>
            public virtual string extra_repr() => "";

            /// <summary>The tree, in PyTorch's layout.</summary>
            public override string ToString()
            {
                var lines = new List<string>();
                string extra = extra_repr();
                foreach ((string key, Module child) in named_children()) lines.Add($"({key}): {child.ToString().Replace("\n", "\n  ", StringComparison.Ordinal)}");
                if (lines.Count == 0 && !extra.Contains('\n', StringComparison.Ordinal)) return $"{TypeName}({extra})";
                if (extra.Length > 0) lines.InsertRange(0, extra.Split('\n'));
                var text = new StringBuilder(TypeName).Append("(\n");
                foreach (string line in lines) text.Append("  ").Append(line).Append('\n');
                return text.Append(')').ToString();
            }

            /// <summary>Gives the memory of all parameters and buffers back at once. Optional.</summary>
            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing)
            {
                if (!disposing) return;
                foreach (Parameter p in parameters(recurse: false)) p.Dispose();
                foreach (Tensor b in buffers(recurse: false)) b.Dispose();
                foreach (Module child in children()) child.Dispose();
            }
        }
    }
}
