using static Flambeau.torch;

namespace Flambeau.Tests;

public class DataLoaderTests
{
    private sealed class Numbers(int count, int badIndex = -1) : utils.data.Dataset
    {
        internal int Running;
        internal int Most;

        public override long Count => count;

        public override Dictionary<string, Tensor> GetTensor(long index)
        {
            if (index == badIndex) throw new InvalidOperationException($"sample {index} is bad");
            Most = Math.Max(Most, Interlocked.Increment(ref Running));
            Thread.SpinWait(2000);
            Interlocked.Decrement(ref Running);
            return new() { ["data"] = full([2], (double)index), ["label"] = tensor(index) };
        }
    }

    private static List<long> Labels(Modules.DataLoader loader) => [.. loader.SelectMany(b => b["label"].data<long>().ToArray())];

    [Test]
    public void Batches_come_in_order_and_the_last_is_short_or_dropped()
    {
        var loader = utils.data.DataLoader(new Numbers(10), 4);
        Assert.That(loader.Select(b => b["data"].sizes[0]), Is.EqualTo(new long[] { 4, 4, 2 }));
        Assert.That(loader.Count, Is.EqualTo(3));
        Assert.That(Labels(loader), Is.EqualTo(Enumerable.Range(0, 10).Select(i => (long)i)));
        var dropping = utils.data.DataLoader(new Numbers(10), 4, drop_last: true);
        Assert.That(dropping.Select(b => b["data"].sizes[0]), Is.EqualTo(new long[] { 4, 4 }));
        Assert.That(dropping.Count, Is.EqualTo(2));
    }

    [Test]
    public void Order_depends_on_the_seed_and_not_on_the_threads()
    {
        List<long>[] orders = [.. new[] { 0, 1, 3, 8 }.Select(n => Labels(utils.data.DataLoader(new Numbers(50), 7, shuffle: true, seed: 5, num_worker: n)))];
        foreach (List<long> order in orders) Assert.That(order, Is.EqualTo(orders[0]));
        Assert.That(orders[0].Order(), Is.EqualTo(Enumerable.Range(0, 50).Select(i => (long)i)));
        Assert.That(orders[0], Is.Not.Ordered);
    }

    [Test]
    public void Each_epoch_has_an_order_of_its_own_and_manual_seed_repeats_them()
    {
        manual_seed(3);
        var loader = utils.data.DataLoader(new Numbers(30), 8, shuffle: true);
        List<long> first = Labels(loader), second = Labels(loader);
        Assert.That(second, Is.Not.EqualTo(first));
        manual_seed(3);
        Assert.That(Labels(utils.data.DataLoader(new Numbers(30), 8, shuffle: true)), Is.EqualTo(first));
    }

    [Test]
    public void Manual_seed_gives_the_order_of_PyTorch()
    {
        // torch.manual_seed(0); [x for (b,) in DataLoader(TensorDataset(torch.arange(10)), 4, shuffle=True) for x in b.tolist()]
        manual_seed(0);
        var loader = utils.data.DataLoader(utils.data.TensorDataset(arange(10)), 4, shuffle: true);
        Assert.That(loader.SelectMany(b => b[0].data<long>().ToArray()), Is.EqualTo(PyTorchOrder));
    }

    private static readonly long[] PyTorchOrder = [6, 7, 1, 4, 2, 0, 9, 8, 3, 5];

    [Test]
    public void An_exception_in_a_worker_reaches_the_caller_at_its_batch()
    {
        var seen = new List<long>();
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() =>
        {
            foreach (Dictionary<string, Tensor> b in utils.data.DataLoader(new Numbers(20, badIndex: 9), 4, num_worker: 3)) seen.AddRange(b["label"].data<long>().ToArray());
        })!;
        Assert.That(e.Message, Does.Contain("sample 9"));
        Assert.That(seen, Is.EqualTo(new long[] { 0, 1, 2, 3, 4, 5, 6, 7 }));
    }

    [Test]
    public void Leaving_the_loop_early_ends_the_workers()
    {
        int before = System.Diagnostics.Process.GetCurrentProcess().Threads.Count;
        for (int i = 0; i < 50; i++)
            foreach (Dictionary<string, Tensor> _ in utils.data.DataLoader(new Numbers(1000), 2, num_worker: 4)) break;
        for (int i = 0; i < 100 && System.Diagnostics.Process.GetCurrentProcess().Threads.Count > before + 20; i++) Thread.Sleep(20);
        Assert.That(System.Diagnostics.Process.GetCurrentProcess().Threads.Count, Is.LessThan(before + 50));
    }

    [Test]
    public void Random_split_covers_everything_once()
    {
        var parts = utils.data.random_split(new Numbers(10), [7, 3], new Generator(1));
        long[] all = [.. parts.SelectMany(p => Enumerable.Range(0, (int)p.Count).Select(i => p.GetTensor(i)["label"].item<long>()))];
        Assert.That(all.Order(), Is.EqualTo(Enumerable.Range(0, 10).Select(i => (long)i)));
        Assert.Throws<ArgumentException>(() => utils.data.random_split(new Numbers(10), [7, 4]));
    }

    [Test]
    public void Bad_arguments_are_named()
    {
        Assert.That(Assert.Throws<ArgumentException>(() => utils.data.DataLoader(new Numbers(3), 0))!.Message, Does.Contain("batchSize"));
        Assert.Throws<ArgumentException>(() => utils.data.TensorDataset(ones([3]), ones([4])));
    }
}
