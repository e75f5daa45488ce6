using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static unsafe partial class cuda
    {
        /// <summary>A mark in a stream: to wait for, and to measure time between two. Never needs disposing.</summary>
        /// <param name="enable_timing">Whether <see cref="elapsed_time"/> can be asked for.</param>
        public sealed class Event(bool enable_timing = false) : IDisposable
        {
            private EventHandle? handle; // made on the device of the first stream that records it

            /// <summary>The device that it was recorded on; null before.</summary>
            public Device? device { get; private set; }

            /// <summary>Marks what is queued on a stream now (default: the current one).</summary>
            /// <exception cref="ArgumentException">It has been recorded on another device.</exception>
            public void record(Stream? stream = null)
            {
                stream ??= current_stream();
                if (handle is null)
                {
                    void* created;
                    Error.Check(NativeCuda.flam_cuda_event_create(stream.device.index, enable_timing ? 1 : 0, &created), "Event");
                    handle = new EventHandle(stream.device.index, created);
                    device = stream.device;
                }
                if (device != stream.device) throw Error.Argument("record", $"the event belongs to {device}, the stream to {stream.device}");
                Error.Check(NativeCuda.flam_cuda_event_record(stream.device.index, handle.Pointer("record"), stream.Pointer("record")), "record");
                GC.KeepAlive(stream);
                GC.KeepAlive(this);
            }

            /// <summary>Waits until what was marked is done. An event that was never recorded is.</summary>
            public void synchronize()
            {
                if (handle is null) return;
                Error.Check(NativeCuda.flam_cuda_event_synchronize(handle.Device, handle.Pointer("synchronize")), "synchronize");
                GC.KeepAlive(this);
            }

            /// <summary>Whether what was marked is done.</summary>
            public bool query()
            {
                if (handle is null) return true;
                int done;
                Error.Check(NativeCuda.flam_cuda_event_query(handle.Device, handle.Pointer("query"), &done), "query");
                GC.KeepAlive(this);
                return done != 0;
            }

            /// <summary>Milliseconds on the device between two marks; waits for neither.</summary>
            /// <exception cref="InvalidOperationException">One was not recorded, was made without timing, or is not reached yet.</exception>
            public float elapsed_time(Event end_event)
            {
                ArgumentNullException.ThrowIfNull(end_event);
                if (handle is null || end_event.handle is null) throw Error.State("elapsed_time", "both events must have been recorded");
                if (!Timed || !end_event.Timed) throw Error.State("elapsed_time", "both events must be made with enable_timing: true");
                float milliseconds;
                Error.Check(NativeCuda.flam_cuda_event_elapsed(handle.Device, handle.Pointer("elapsed_time"), end_event.handle.Pointer("elapsed_time"), &milliseconds), "elapsed_time");
                GC.KeepAlive(this);
                GC.KeepAlive(end_event);
                return milliseconds;
            }

            private bool Timed => enable_timing;

            /// <summary>Work queued on a stream (default: the current one) from now on waits for the mark; the program does not.</summary>
            public void wait(Stream? stream = null)
            {
                if (handle is null) return;
                stream ??= current_stream();
                Error.Check(NativeCuda.flam_cuda_stream_wait_event(stream.device.index, stream.Pointer("wait"), handle.Pointer("wait")), "wait");
                GC.KeepAlive(stream);
                GC.KeepAlive(this);
            }

            /// <summary>Optional.</summary>
            public void Dispose() => handle?.Dispose();
        }
    }
}
