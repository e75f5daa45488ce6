using System.Globalization;
using System.Text;
using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static unsafe partial class cuda
    {
        /// <summary>Bytes in tensors.</summary>
        public static long memory_allocated(Device? device = null) => Stats("memory_allocated", device).allocated_bytes;

        /// <summary>The most bytes that tensors had since the start or the last reset.</summary>
        public static long max_memory_allocated(Device? device = null) => Stats("max_memory_allocated", device).peak_allocated_bytes;

        /// <summary>Bytes taken from the driver: those in tensors and those kept for the next ones.</summary>
        public static long memory_reserved(Device? device = null) => Stats("memory_reserved", device).reserved_bytes;

        /// <summary>The most bytes taken from the driver since the start or the last reset.</summary>
        public static long max_memory_reserved(Device? device = null) => Stats("max_memory_reserved", device).peak_reserved_bytes;

        /// <summary>Starts the maxima anew from what is in use now.</summary>
        public static void reset_peak_memory_stats(Device? device = null) =>
            Error.Check(Native.flam_memory_reset_peak((int)DeviceType.CUDA, Cuda.Index("reset_peak_memory_stats", device)), "reset_peak_memory_stats");

        /// <summary>Frees tensors that nobody can reach any more and gives memory kept for later back to the driver; without GPUs nothing happens.</summary>
        public static void empty_cache()
        {
            if (!is_available()) return;
            Allocator.CollectEverything();
            for (int i = 0; i < device_count(); i++) Error.Check(Native.flam_memory_trim((int)DeviceType.CUDA, i), "empty_cache");
        }

        /// <summary>Free and total bytes of a device as the driver sees them, other programs included.</summary>
        public static (long free, long total) mem_get_info(Device? device = null)
        {
            long free, total;
            Error.Check(NativeCuda.flam_cuda_memory_info(Cuda.Index("mem_get_info", device), &free, &total), "mem_get_info");
            return (free, total);
        }

        /// <summary>A table of what the memory of a device is used for.</summary>
        public static string memory_summary(Device? device = null) => Summary(Cuda.Index("memory_summary", device));

        internal static string Summary(int device)
        {
            flam_cuda_memory_stats s = Stats("memory_summary", new Device(DeviceType.CUDA, device));
            var text = new StringBuilder($"memory of cuda:{device}                 now            most\n");
            void Line(string what, long now, long? most = null) => text.Append($"  {what,-28}{Size(now),12}{(most is { } m ? Size(m) : ""),16}".TrimEnd()).Append('\n');
            Line("in tensors", s.allocated_bytes, s.peak_allocated_bytes);
            Line("in use by the device", s.active_bytes);
            Line("taken from the driver", s.reserved_bytes, s.peak_reserved_bytes);
            long free = 0, total = 0;
            if (NativeCuda.flam_cuda_memory_info(device, &free, &total) == 0)
            {
                Line("free, as the driver sees it", free);
                Line("of the device", total);
            }
            text.Append(CultureInfo.InvariantCulture, $"  {s.blocks} tensors' blocks in {s.segments} segments; {s.allocations} allocations, {s.driver_allocations} by the driver, ");
            return text.Append(CultureInfo.InvariantCulture, $"{s.retries} after freeing what was kept, {s.out_of_memory} failed").ToString();
        }

        private static string Size(long bytes) => bytes switch
        {
            >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):F2} GiB"),
            >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):F2} MiB"),
            >= 1L << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 10):F2} KiB"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        };

        private static flam_cuda_memory_stats Stats(string op, Device? device)
        {
            flam_cuda_memory_stats s;
            Error.Check(NativeCuda.flam_cuda_memory_stats_get(Cuda.Index(op, device), &s), op);
            return s;
        }
    }
}
