using System.Globalization;
using System.Text;
using Flambeau.Modules;

namespace Flambeau;

public static partial class torch
{
    public static partial class utils
    {
        /// <summary>A table of the layers of a module: type, output shape if an input size is given, parameters; and the totals.</summary>
        /// <param name="model">Any module.</param>
        /// <param name="input_size">Shape of one input, batch included: a forward pass of zeros is run in evaluation mode, and the mode restored.</param>
        public static string summary(nn.Module model, params long[] input_size)
        {
            ArgumentNullException.ThrowIfNull(model);
            var shapes = new Dictionary<nn.Module, string>(ReferenceEqualityComparer.Instance);
            if (input_size.Length > 0) Probe(model, input_size, shapes);
            var rows = new List<(string Layer, string Output, string Count)>();
            Collect(model, model.GetName(), 0, rows, shapes);
            return Table(rows, model);
        }

        private static void Probe(nn.Module model, long[] inputSize, Dictionary<nn.Module, string> shapes)
        {
            if (model is not nn.Module<Tensor, Tensor> net) throw Error.Argument("summary", $"{model.GetName()} does not take one tensor to one tensor; leave the input size out");
            var hooks = new List<HookRemover>();
            foreach (nn.Module m in model.modules().Prepend(model))
                if (m is nn.Module<Tensor, Tensor> layer)
                    hooks.Add(layer.register_forward_hook((module, _, y) =>
                    {
                        shapes[module] = Error.Shape(y.sizes);
                        return y;
                    }));
            bool wasTraining = model.training;
            model.eval();
            try
            {
                using (no_grad()) net.call(zeros(inputSize, device: model.parameters().FirstOrDefault()?.device));
            }
            finally
            {
                model.train(wasTraining);
                foreach (HookRemover hook in hooks) hook.remove();
            }
        }

        private static void Collect(nn.Module module, string name, int depth, List<(string, string, string)> rows, Dictionary<nn.Module, string> shapes)
        {
            long own = module.parameters(recurse: false).Sum(p => p.numel());
            string label = new string(' ', 2 * depth) + (depth == 0 ? name : $"{name}: {module.GetType().Name}");
            rows.Add((label, shapes.GetValueOrDefault(module, ""), own == 0 ? "--" : own.ToString("N0", CultureInfo.InvariantCulture)));
            foreach ((string childName, nn.Module child) in module.named_children()) Collect(child, childName, depth + 1, rows, shapes);
        }

        private static string Table(List<(string Layer, string Output, string Count)> rows, nn.Module model)
        {
            int a = Math.Max(5, rows.Max(r => r.Layer.Length)), b = Math.Max(12, rows.Max(r => r.Output.Length)), c = Math.Max(10, rows.Max(r => r.Count.Length));
            string line = new('-', a + b + c + 4);
            var text = new StringBuilder();
            text.AppendLine(line).AppendLine($"{"Layer".PadRight(a)}  {"Output shape".PadRight(b)}  {"Parameters".PadLeft(c)}").AppendLine(line);
            foreach ((string layer, string output, string count) in rows) text.AppendLine($"{layer.PadRight(a)}  {output.PadRight(b)}  {count.PadLeft(c)}");
            long total = model.parameters().Sum(p => p.numel()), trainable = model.parameters().Where(p => p.requires_grad).Sum(p => p.numel());
            long bytes = model.parameters().Sum(p => p.numel() * p.ElementSize);
            text.AppendLine(line).AppendLine(CultureInfo.InvariantCulture, $"Parameters: {total:N0} ({trainable:N0} trainable), {bytes / 1048576.0:F2} MiB").Append(line);
            return text.ToString();
        }
    }
}
