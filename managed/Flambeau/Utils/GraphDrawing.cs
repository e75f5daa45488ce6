using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Flambeau;

public static partial class torch
{
    public static partial class utils
    {
        /// <summary>Pictures of the autograd graph: operators in one colour, leaves in another.</summary>
        public static class graph
        {
            private const string OperatorColour = "#f9c46b", VariableColour = "#9bd0f5";

            private sealed record Box(int Id, string Label, bool Variable);

            private sealed record Picture(List<Box> Boxes, List<(int From, int To)> Arrows);

            /// <summary>The graph behind a tensor as Graphviz text; arrows run from inputs to results.</summary>
            /// <param name="names">Names for leaves, for example a module's named_parameters; others show their shape only.</param>
            public static string to_dot(Tensor tensor, IEnumerable<(string name, Tensor tensor)>? names = null)
            {
                ArgumentNullException.ThrowIfNull(tensor);
                Picture picture = Collect(tensor, names);
                var text = new StringBuilder("digraph autograd {\n  rankdir=TB;\n  node [style=filled, fontname=\"sans-serif\", fontsize=11];\n");
                foreach (Box box in picture.Boxes)
                {
                    string label = box.Label.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
                    text.Append(CultureInfo.InvariantCulture, $"  n{box.Id} [label=\"{label}\", shape={(box.Variable ? "box" : "ellipse")}, fillcolor=\"{(box.Variable ? VariableColour : OperatorColour)}\"];\n");
                }
                foreach ((int from, int to) in picture.Arrows) text.Append(CultureInfo.InvariantCulture, $"  n{from} -> n{to};\n");
                return text.Append("}\n").ToString();
            }

            /// <summary>The same picture as SVG, laid out in layers without any other program.</summary>
            public static string to_svg(Tensor tensor, IEnumerable<(string name, Tensor tensor)>? names = null)
            {
                ArgumentNullException.ThrowIfNull(tensor);
                return Svg(Collect(tensor, names));
            }

            private static Picture Collect(Tensor tensor, IEnumerable<(string name, Tensor tensor)>? names)
            {
                var known = new Dictionary<Autograd, string>();
                foreach ((string name, Tensor t) in names ?? [])
                    if (t.autograd is { } a) known.TryAdd(a, name);
                var picture = new Picture([], []);
                var numbers = new Dictionary<Node, int>(ReferenceEqualityComparer.Instance);
                picture.Boxes.Add(new Box(0, $"result\n{Error.Shape(tensor.sizes)}", Variable: true));
                var stack = new Stack<Node>();
                if (Graph.EdgeOf(tensor).Node is { } root) picture.Arrows.Add((NumberOf(root), 0));
                while (stack.TryPop(out Node? node))
                    foreach (Edge edge in node.Edges)
                        if (edge.Node is { } next) picture.Arrows.Add((NumberOf(next), numbers[node]));
                return picture;

                int NumberOf(Node node)
                {
                    if (numbers.TryGetValue(node, out int n)) return n;
                    numbers[node] = n = picture.Boxes.Count;
                    bool leaf = node is AccumulateGrad;
                    string label = leaf ? (known.TryGetValue(((AccumulateGrad)node).Leaf, out string? name) ? name + "\n" : "") + Error.Shape(node.Outputs[0].Sizes) : node.Name;
                    picture.Boxes.Add(new Box(n, label, leaf));
                    stack.Push(node);
                    return n;
                }
            }

            private static string Svg(Picture picture)
            {
                const int width = 130, height = 38, gapX = 24, gapY = 44;
                int[] layer = Layers(picture);
                var perLayer = new Dictionary<int, int>();
                var place = new (int X, int Y)[picture.Boxes.Count];
                for (int i = 0; i < place.Length; i++)
                {
                    int column = perLayer.GetValueOrDefault(layer[i]);
                    perLayer[layer[i]] = column + 1;
                    place[i] = (20 + column * (width + gapX), 20 + layer[i] * (height + gapY));
                }
                int w = 20 + perLayer.Values.Max() * (width + gapX), h = 40 + (layer.Max() + 1) * (height + gapY);
                var svg = new StringBuilder();
                svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" font-family=\"sans-serif\" font-size=\"11\">\n");
                svg.Append("<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n");
                foreach ((int from, int to) in picture.Arrows)
                    svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{place[from].X + width / 2}\" y1=\"{place[from].Y + height}\" x2=\"{place[to].X + width / 2}\" y2=\"{place[to].Y}\" stroke=\"#555\" marker-end=\"url(#a)\"/>\n");
                foreach (Box box in picture.Boxes)
                {
                    (int x, int y) = place[box.Id];
                    svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{(box.Variable ? 2 : 19)}\" fill=\"{(box.Variable ? VariableColour : OperatorColour)}\" stroke=\"#333\"/>\n");
                    string[] lines = box.Label.Split('\n');
                    for (int i = 0; i < lines.Length; i++)
                        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x + width / 2}\" y=\"{y + height / 2 + 4 + 13 * i - 6 * (lines.Length - 1)}\" text-anchor=\"middle\">{System.Security.SecurityElement.Escape(lines[i])}</text>\n");
                }
                return svg.Append("</svg>\n").ToString();
            }

            // Each box one layer below the lowest of those that point to it.
            private static int[] Layers(Picture picture)
            {
                var layer = new int[picture.Boxes.Count];
                var inputs = picture.Arrows.GroupBy(a => a.To).ToDictionary(g => g.Key, g => g.Count());
                var outs = picture.Arrows.ToLookup(a => a.From, a => a.To);
                var ready = new Queue<int>(picture.Boxes.Select(b => b.Id).Where(id => !inputs.ContainsKey(id)));
                while (ready.TryDequeue(out int id))
                    foreach (int to in outs[id])
                    {
                        layer[to] = Math.Max(layer[to], layer[id] + 1);
                        if (--inputs[to] == 0) ready.Enqueue(to);
                    }
                Debug.Assert(inputs.Values.All(n => n == 0));
                return layer;
            }
        }
    }
}
