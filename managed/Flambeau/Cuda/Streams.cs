using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static unsafe partial class cuda
    {
        /// <summary>
        /// A queue of work on a device. Work on one stream runs in order; streams run beside each other unless events order them.
        /// Made streams do not wait for the default stream nor it for them. Never needs disposing.
        /// </summary>
        public sealed class Stream : IDisposable
        {
            internal readonly StreamHandle? handle; // null: the device's default stream

            /// <param name="device">Default: the current one.</param>
            /// <param name="priority">0, or below for streams whose work goes first.</param>
            /// <exception cref="InvalidOperationException">There is no such device.</exception>
            public Stream(Device? device = null, int priority = 0)
            {
                int index = Cuda.Index("Stream", device);
                void* created;
                Error.Check(NativeCuda.flam_cuda_stream_create(index, priority, &created), "Stream");
                handle = new StreamHandle(index, created);
                this.device = Cuda.Device("Stream", index);
                this.priority = priority;
            }

            private Stream(Device device, StreamHandle? handle)
            {
                this.device = device;
                this.handle = handle;
            }

            internal static Stream DefaultOf(Device device) => new(device, handle: null);

            public Device device { get; }

            public int device_index => device.index;

            public int priority { get; }

            /// <summary>The cudaStream_t, for programs that use CUDA themselves; 0 is the default stream.</summary>
            public nint cuda_stream => (nint)Pointer("cuda_stream");

            internal void* Pointer(string op) => handle is null ? null : handle.Pointer(op);

            /// <summary>Waits until all work queued so far is done; raises what went wrong.</summary>
            public void synchronize()
            {
                Error.Check(NativeCuda.flam_cuda_stream_synchronize(device.index, Pointer("synchronize")), "synchronize");
                GC.KeepAlive(this);
            }

            /// <summary>Whether all work queued so far is done.</summary>
            public bool query()
            {
                int done;
                Error.Check(NativeCuda.flam_cuda_stream_query(device.index, Pointer("query"), &done), "query");
                GC.KeepAlive(this);
                return done != 0;
            }

            /// <summary>Work queued from now on waits for the event; the program does not.</summary>
            public void wait_event(Event @event)
            {
                ArgumentNullException.ThrowIfNull(@event);
                @event.wait(this);
            }

            /// <summary>Work queued from now on waits for all that is queued on another stream now.</summary>
            public void wait_stream(Stream stream)
            {
                ArgumentNullException.ThrowIfNull(stream);
                wait_event(stream.record_event());
            }

            /// <summary>Marks this place in the stream.</summary>
            public Event record_event(Event? @event = null)
            {
                @event ??= new Event();
                @event.record(this);
                return @event;
            }

            /// <summary>Optional. Work already queued is finished all the same.</summary>
            public void Dispose() => handle?.Dispose();

            public override string ToString() => handle is null ? $"the default stream of {device}" : $"a stream of {device}, priority {priority}";
        }

        // The streams that are current on this thread, by device; null is the default stream. Holds them against collection.
        [ThreadStatic]
        private static Stream?[]? currentStreams;

        private static Stream?[] defaultStreams = [];

        /// <summary>The stream that this thread queues its work on.</summary>
        public static Stream current_stream(Device? device = null)
        {
            int index = Cuda.Index("current_stream", device);
            return currentStreams is { } all && index < all.Length && all[index] is { } s ? s : default_stream(device);
        }

        /// <summary>The stream that every thread starts with.</summary>
        public static Stream default_stream(Device? device = null)
        {
            int index = Cuda.Index("default_stream", device);
            if (defaultStreams.Length == 0) defaultStreams = [.. Enumerable.Range(0, Cuda.Count).Select(i => Stream.DefaultOf(Cuda.Device("default_stream", i)))];
            return defaultStreams[index]!;
        }

        /// <summary>
        /// This thread queues its work on a stream, and on the stream's device, until the result is disposed. Other threads are not affected:
        /// dispose on the same thread, and do not await in between.
        /// </summary>
        /// <exception cref="InvalidOperationException">From Dispose: it runs on another thread.</exception>
        public static IDisposable stream(Stream? stream) => new StreamScope(stream);

        /// <summary>As <see cref="stream"/>, for good.</summary>
        public static void set_stream(Stream stream)
        {
            ArgumentNullException.ThrowIfNull(stream);
            int index = stream.device.index;
            bool held = false;
            stream.handle?.DangerousAddRef(ref held); // one that is disposed while it is current lives on until it is not
            Error.Check(NativeCuda.flam_cuda_stream_set(index, stream.Pointer("set_stream")), "set_stream");
            Stream?[] all = currentStreams ??= new Stream?[Cuda.Count];
            all[index]?.handle?.DangerousRelease();
            all[index] = stream;
        }

        private sealed class StreamScope : IDisposable
        {
            private readonly Stream? before;
            private readonly int deviceBefore = Cuda.Current, thread = Environment.CurrentManagedThreadId;
            private bool done;

            internal StreamScope(Stream? stream)
            {
                if (stream is null) return;
                before = current_stream(stream.device);
                set_stream(stream);
                Cuda.Current = stream.device.index;
            }

            public void Dispose()
            {
                if (done || before is null) return;
                if (Environment.CurrentManagedThreadId != thread)
                    throw Error.State("stream", "a stream is current on one thread only; it must be left on the thread that entered it (is there an await inside?)");
                done = true;
                set_stream(before);
                Cuda.Current = deviceBefore;
            }
        }
    }

    public partial class Tensor
    {
        /// <summary>
        /// Says that a stream uses this tensor: its memory, once free, is not given out again before what is now queued there is done. Needed only
        /// for tensors that were made on another stream.
        /// </summary>
        /// <exception cref="ArgumentException">The tensor is not on the stream's device.</exception>
        public unsafe void record_stream(cuda.Stream stream)
        {
            ArgumentNullException.ThrowIfNull(stream);
            if (device != stream.device) throw Error.Argument("record_stream", $"the tensor is on {device}, the stream on {stream.device}");
            using Borrow b = Borrow("record_stream", out _);
            Error.Check(NativeCuda.flam_cuda_record_stream(device.index, storage.Pointer, stream.Pointer("record_stream")), "record_stream");
            GC.KeepAlive(stream);
        }
    }
}
