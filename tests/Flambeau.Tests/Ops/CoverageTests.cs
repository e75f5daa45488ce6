using System.Reflection;
using static Flambeau.torch;

namespace Flambeau.Tests;

/// <summary>
/// Every public op has a row in the op table. Names in without-row.txt are creation, conversion and conveniences, or are checked by tests
/// of their own in this project; a new op belongs in the table, and a name that gets its row must leave the list.
/// </summary>
public class CoverageTests
{
    private static bool GivesTensors(Type t) => t == typeof(Tensor) || t == typeof(Tensor[]) || (t.IsGenericType && t.GetGenericArguments().Contains(typeof(Tensor)));

    private static IEnumerable<string> PublicOps() =>
        new[] { typeof(torch), typeof(Tensor), typeof(nn.functional), typeof(special), typeof(linalg) }
            .SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(m => !m.IsSpecialName && GivesTensors(m.ReturnType))
            .Select(m => m.Name).Distinct().Order(StringComparer.Ordinal);

    [Test]
    public void Every_public_op_has_a_row()
    {
        HashSet<string> rows = [.. OpTable.Rows.SelectMany(r => $"{r.Name} {r.Also}".Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        string[] listed = File.ReadAllText(Path.Combine(Golden.Folder, "..", "Flambeau.Tests", "Ops", "without-row.txt")).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        string[] missing = [.. PublicOps().Where(n => !rows.Contains(n) && !listed.Contains(n))];
        Assert.That(missing, Is.Empty, "public ops without a row: " + string.Join(' ', missing));
        string[] stale = [.. listed.Where(n => rows.Contains(n) || !PublicOps().Contains(n))];
        Assert.That(stale, Is.Empty, "listed as without a row, but have one or do not exist: " + string.Join(' ', stale));
    }
}
