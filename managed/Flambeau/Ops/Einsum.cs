namespace Flambeau;

public static partial class torch
{
    /// <summary>
    /// Sums of products by the letters of the dimensions: einsum("bij,bjk->bik", a, b). "..." stands for dimensions that broadcast;
    /// without "->" the letters that occur once stay, in alphabetical order. Spaces do not count.
    /// </summary>
    /// <exception cref="ArgumentException">The equation does not fit the tensors.</exception>
    public static Tensor einsum(string equation, params Tensor[] tensors)
    {
        ArgumentNullException.ThrowIfNull(equation);
        if (tensors.Length == 0) throw Error.Argument("einsum", "at least one tensor is needed");
        Elementwise.SameDevice("einsum", tensors);
        return new Einsum(equation, tensors).Run(tensors);
    }

    /// <summary>One parsed equation. Labels are numbered: the result's dimensions first, then those that are summed.</summary>
    private sealed class Einsum
    {
        private readonly string equation;
        private readonly Dictionary<char, int> place = [];
        private readonly List<string> operands = [];
        private readonly int outputs; // dimensions of the result
        private readonly int total;
        private readonly int dots; // dimensions behind "..."
        private readonly int dotsAt; // where those stand
        private readonly int[] lastUse;

        internal Einsum(string text, Tensor[] tensors)
        {
            equation = text.Replace(" ", "", StringComparison.Ordinal);
            string[] sides = equation.Split("->");
            if (sides.Length > 2) throw Fault("it has more than one '->'");
            foreach (string operand in sides[0].Split(',')) operands.Add(Checked(operand));
            if (operands.Count != tensors.Length) throw Fault($"it names {operands.Count} tensors, {tensors.Length} were given");
            for (int i = 0; i < tensors.Length; i++) dots = Math.Max(dots, Hidden(i, tensors[i]));
            string output = sides.Length == 2 ? Checked(sides[1]) : Implicit();
            dotsAt = -1;
            foreach (char c in output)
            {
                if (c == '.') (dotsAt, outputs) = (outputs, outputs + dots);
                else if (!place.TryAdd(c, outputs++)) throw Fault($"'{c}' stands twice in the result");
                else if (!operands.Any(o => o.Contains(c))) throw Fault($"'{c}' of the result is in no tensor");
            }
            total = outputs;
            if (dotsAt < 0 && dots > 0) (dotsAt, total) = (total, total + dots);
            foreach (char c in string.Concat(operands))
                if (c != '.' && !place.ContainsKey(c)) place[c] = total++;
            if (total > Shapes.MaxRank) throw Fault($"it has {total} different dimensions; {Shapes.MaxRank} is the most");
            lastUse = new int[total];
        }

        /// <summary>Multiplies the tensors from left to right, summing each label as soon as nothing later uses it.</summary>
        internal Tensor Run(Tensor[] tensors)
        {
            var aligned = new Tensor[tensors.Length];
            for (int i = 0; i < tensors.Length; i++)
            {
                aligned[i] = Aligned(i, tensors[i]);
                for (int d = 0; d < total; d++)
                    if (aligned[i].sizes[d] != 1) lastUse[d] = i;
            }
            CheckSizes(aligned);
            Tensor y = SumUnused(aligned[0], 0);
            for (int i = 1; i < aligned.Length; i++) y = Contract(y, aligned[i], i);
            long[] kept = new long[outputs];
            for (int d = 0; d < outputs; d++) kept[d] = y.sizes[d];
            return y.reshape(kept);
        }

        // Every label in its place, 1 where the tensor has none of it; repeated letters take the diagonal.
        private Tensor Aligned(int i, Tensor x)
        {
            var at = new List<int>();
            int hidden = Hidden(i, x);
            foreach (char c in operands[i])
            {
                if (c != '.') at.Add(place[c]);
                else
                    for (int k = 0; k < hidden; k++) at.Add(dotsAt + dots - hidden + k);
            }
            for (int d = at.Count - 1; d >= 0; d--)
            {
                int first = at.IndexOf(at[d]);
                if (first == d) continue;
                if (x.sizes[first] != x.sizes[d]) throw Fault($"a letter repeats over sizes {x.sizes[first]} and {x.sizes[d]} of tensor {i}");
                x = x.diagonal(0, first, d).movedim(-1, first);
                at.RemoveAt(d);
            }
            long[] order = [.. Enumerable.Range(0, at.Count).OrderBy(d => at[d]).Select(d => (long)d)];
            x = x.permute(order);
            var shape = new long[total];
            Array.Fill(shape, 1);
            for (int d = 0; d < order.Length; d++) shape[at[(int)order[d]]] = x.sizes[d];
            return x.reshape(shape);
        }

        // Labels of both go to the batch if they stay, to the inner dimension if they do not; the rest are rows and columns.
        private Tensor Contract(Tensor a, Tensor b, int step)
        {
            List<long> batch = [], inner = [], left = [], right = [];
            for (int d = 0; d < total; d++)
            {
                bool stays = d < outputs || lastUse[d] > step, inA = a.sizes[d] != 1, inB = b.sizes[d] != 1;
                if (!stays && inA && inB)
                {
                    inner.Add(d);
                    continue;
                }
                if (!stays && inA) (a, inA) = (a.sum(d, keepdim: true), false);
                if (!stays && inB) (b, inB) = (b.sum(d, keepdim: true), false);
                if (inA == inB) batch.Add(d);
                else (inA ? left : right).Add(d);
            }
            long Size(Tensor t, List<long> dims) => dims.Aggregate(1L, (n, d) => n * t.sizes[d]);
            Tensor x = a.permute([.. batch, .. left, .. inner, .. right]).reshape(Size(a, batch), Size(a, left), Size(a, inner));
            Tensor y = b.permute([.. batch, .. inner, .. right, .. left]).reshape(Size(b, batch), Size(b, inner), Size(b, right));
            Tensor z = inner.Count == 0 && left.Count + right.Count == 0 ? x * y : x.bmm(y);
            long[] order = [.. batch, .. left, .. right, .. inner], back = new long[total];
            long[] sizes = [.. batch.Select(d => a.sizes[d]), .. left.Select(d => a.sizes[d]), .. right.Select(d => b.sizes[d]), .. inner.Select(_ => 1L)];
            for (int d = 0; d < total; d++) back[order[d]] = d;
            return z.reshape(sizes).permute(back);
        }

        private Tensor SumUnused(Tensor x, int step)
        {
            long[] dims = [.. Enumerable.Range(outputs, total - outputs).Where(d => lastUse[d] <= step && x.sizes[d] != 1).Select(d => (long)d)];
            return dims.Length == 0 ? x : x.sum(dims, keepdim: true);
        }

        private void CheckSizes(Tensor[] aligned)
        {
            for (int d = 0; d < total; d++)
            {
                long[] found = [.. aligned.Select(t => t.sizes[d]).Where(n => n != 1).Distinct()];
                if (found.Length > 1) throw Fault($"dimension '{Letter(d)}' has sizes {Error.Shape(found)}");
            }
        }

        private char Letter(int d) => place.FirstOrDefault(p => p.Value == d, new KeyValuePair<char, int>('.', d)).Key;

        private string Implicit()
        {
            string all = string.Concat(operands);
            string once = string.Concat(all.Where(c => c != '.' && all.Count(o => o == c) == 1).Order());
            return (all.Contains('.') ? "." : "") + once;
        }

        // One '.' for "..."; nothing but letters besides.
        private string Checked(string part)
        {
            int at = part.IndexOf("...", StringComparison.Ordinal);
            string letters = at < 0 ? part : part.Remove(at, 3);
            foreach (char c in letters)
                if (!char.IsAsciiLetter(c)) throw Fault($"'{c}' is not a letter");
            return at < 0 ? part : part[..at] + "." + part[(at + 3)..];
        }

        private int Hidden(int i, Tensor x)
        {
            string operand = operands[i];
            bool has = operand.Contains('.');
            int letters = operand.Length - (has ? 1 : 0);
            if (x.rank < letters || (!has && x.rank != letters)) throw Fault($"'{operands[i].Replace(".", "...", StringComparison.Ordinal)}' does not fit shape {Error.Shape(x.sizes)}");
            return x.rank - letters;
        }

        private ArgumentException Fault(string text) => Error.Argument("einsum", $"\"{equation}\": {text}");
    }
}
