using Flambeau.Interop;

namespace Flambeau;

/// <summary>What is being captured on this thread, if anything.</summary>
internal static class Capture
{
    [ThreadStatic]
    private static HashSet<Storage>? outside;

    [ThreadStatic]
    private static List<torch.Generator.InGraph>? draws;

    internal static bool Running => outside is not null;

    internal static void Begin()
    {
        outside = new HashSet<Storage>(ReferenceEqualityComparer.Instance);
        draws = [];
    }

    /// <summary>The memory from before that the capture used, and the generators.</summary>
    internal static (HashSet<Storage> Memory, List<torch.Generator.InGraph> Draws) End()
    {
        (HashSet<Storage>, List<torch.Generator.InGraph>) used = (outside ?? [], draws ?? []);
        outside = null;
        draws = null;
        return used;
    }

    /// <summary>What stands for a generator while the capture runs.</summary>
    internal static torch.Generator.InGraph Draws(torch.Generator g)
    {
        torch.Generator.InGraph? known = draws!.Find(d => d.Of(g));
        if (known is null) draws.Add(known = new torch.Generator.InGraph(g));
        return known;
    }

    /// <summary>A call of the graph uses this memory each time it runs, so the graph holds it. Memory made while capturing is its own.</summary>
    internal static void Note(Storage storage)
    {
        if (storage.MadeInCapture || !outside!.Add(storage)) return;
        if (!storage.TryHold()) outside.Remove(storage);
    }

    /// <exception cref="InvalidOperationException">A graph is being captured.</exception>
    internal static void Forbid(string op, string what)
    {
        if (Running) throw Error.State(op, $"{what} while a CUDA graph is captured");
    }
}

public static partial class torch
{
    public static unsafe partial class cuda
    {
        /// <summary>
        /// Work that is recorded once and then run again as a whole, which saves the time that queueing it costs. It runs with the same
        /// memory each time: change its inputs by copy_ and read its outputs where they are. Nothing inside may read a value (item,
        /// printing, branches on results). Each replay draws new random numbers. The graph keeps the memory that it uses.
        /// </summary>
        public sealed class CUDAGraph : IDisposable
        {
            private GraphHandle? handle, capturing;
            private HashSet<Storage> uses = [];
            private List<Generator.InGraph> draws = [];
            private string? failure;

            /// <summary>From now on this thread's work on the current stream, which must not be the default one, is recorded and not run.</summary>
            /// <exception cref="InvalidOperationException">The default stream is current, or a capture is running.</exception>
            public void capture_begin()
            {
                Capture.Forbid("capture_begin", "a capture cannot begin");
                Stream stream = current_stream();
                if (stream.handle is null) throw Error.State("capture_begin", "work on the default stream cannot be captured; use torch.cuda.graph(g), or make another stream current");
                reset();
                void* created;
                Error.Check(NativeCuda.flam_cuda_graph_begin(stream.device.index, stream.Pointer("capture_begin"), &created), "capture_begin");
                capturing = new GraphHandle(stream.device.index, created);
                Capture.Begin();
            }

            /// <summary>Ends the recording and prepares the graph.</summary>
            /// <exception cref="InvalidOperationException">Nothing is being captured, or something in between cannot be.</exception>
            public void capture_end()
            {
                GraphHandle ended = capturing ?? throw Error.State("capture_end", "this graph is not being captured");
                capturing = null;
                (uses, draws) = Capture.End();
                int status = NativeCuda.flam_cuda_graph_end(ended.Device, ended.Pointer("capture_end"));
                if (status == 0)
                {
                    handle = ended;
                    return;
                }
                try
                {
                    Error.Check(status, "capture_end");
                }
                finally
                {
                    ended.Dispose();
                }
            }

            /// <summary>Queues the recorded work on the current stream.</summary>
            /// <exception cref="InvalidOperationException">Nothing has been captured.</exception>
            public void replay()
            {
                Capture.Forbid("replay", "a graph cannot be replayed");
                if (handle is null) throw Error.State("replay", failure ?? "the graph is empty: capture something first");
                foreach (Generator.InGraph d in draws) d.Start();
                Error.Check(NativeCuda.flam_cuda_graph_launch(handle.Device, handle.Pointer("replay"), current_stream(new Device(DeviceType.CUDA, handle.Device)).Pointer("replay")), "replay");
                GC.KeepAlive(this);
            }

            /// <summary>Forgets the recorded work and gives its memory back. Optional.</summary>
            public void reset()
            {
                handle?.Dispose();
                handle = null;
                failure = null;
                foreach (Storage s in uses) s.LetGo();
                uses = [];
                draws = [];
            }

            public void Dispose() => reset();

            /// <summary>Ends a capture whose scope is left, perhaps by an exception: one of its own would hide that.</summary>
            internal void EndQuietly()
            {
                if (capturing is null) return;
                try
                {
                    capture_end();
                }
                catch (Exception e) when (e is InvalidOperationException or ArgumentException or NotSupportedException or OutOfMemoryException)
                {
                    failure = $"the capture failed: {e.Message}";
                }
            }
        }

        /// <summary>
        /// Captures the work of this thread into a graph until the result is disposed, on a stream of its own unless one is given:
        /// <c>using (torch.cuda.graph(g)) y = net.call(x);</c> A capture that fails is reported by replay.
        /// </summary>
        public static IDisposable graph(CUDAGraph cuda_graph, Stream? stream = null)
        {
            ArgumentNullException.ThrowIfNull(cuda_graph);
            return new GraphScope(cuda_graph, stream);
        }

        private sealed class GraphScope : IDisposable
        {
            private readonly CUDAGraph graph;
            private readonly IDisposable current;

            internal GraphScope(CUDAGraph graph, Stream? stream)
            {
                this.graph = graph;
                Capture.Forbid("graph", "a capture cannot begin");
                empty_cache(); // dead tensors go now, not while the capture runs
                synchronize(stream?.device);
                current = cuda.stream(stream ?? new Stream());
                try
                {
                    graph.capture_begin();
                }
                catch
                {
                    current.Dispose();
                    throw;
                }
            }

            public void Dispose()
            {
                graph.EndQuietly();
                current.Dispose();
            }
        }
    }
}
