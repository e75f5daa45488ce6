using System.Globalization;

namespace Flambeau;

/// <summary>Kinds of devices; values as PyTorch's.</summary>
public enum DeviceType
{
    CPU = 0,
    CUDA = 1,
}

public static partial class torch
{
    /// <summary>Where a tensor lives: "cpu", "cuda:1", or "cuda", which is the device that is current on this thread.</summary>
    public sealed class Device : IEquatable<Device>
    {
        internal static readonly Device cpu = new(DeviceType.CPU, -1);

        public Device(DeviceType type, int index = -1)
        {
            this.type = type;
            this.index = type == DeviceType.CPU ? -1 : index < 0 ? Cuda.Current : index;
        }

        /// <summary>"cuda:index"</summary>
        public Device(int index) : this(DeviceType.CUDA, index) { }

        /// <param name="deviceType">"cpu" or "cuda"</param>
        /// <exception cref="ArgumentException">Another text.</exception>
        public Device(string deviceType, int index) : this(index < 0 ? deviceType : $"{deviceType}:{index}") { }

        /// <exception cref="ArgumentException">The text is not "cpu", "cuda" or "cuda:N".</exception>
        public Device(string description)
        {
            ArgumentNullException.ThrowIfNull(description);
            string[] parts = description.ToLowerInvariant().Split(':');
            int number = Cuda.Current;
            bool known = parts.Length <= 2 && parts[0] is "cpu" or "cuda" && (parts.Length == 1 || (int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= 0));
            if (!known) throw Error.Argument("device", $"'{description}' is not a device; expected cpu, cuda or cuda:N");
            type = parts[0] == "cpu" ? DeviceType.CPU : DeviceType.CUDA;
            index = type == DeviceType.CPU ? -1 : number;
        }

        public DeviceType type { get; }

        /// <summary>The number of the device, -1 for the CPU.</summary>
        public int index { get; }

        public static implicit operator Device(string description) => new(description);

        public bool Equals(Device? other) => other is not null && type == other.type && index == other.index;

        public override bool Equals(object? obj) => obj is Device other && Equals(other);

        public override int GetHashCode() => HashCode.Combine(type, index);

        public override string ToString() => type == DeviceType.CPU ? "cpu" : $"cuda:{index}";

        public static bool operator ==(Device? a, Device? b) => a is null ? b is null : a.Equals(b);

        public static bool operator !=(Device? a, Device? b) => !(a == b);
    }

    public static readonly Device CPU = Device.cpu;

    public static Device CUDA => new(DeviceType.CUDA);

    private static Device default_device = Device.cpu;

    public static Device device(string description) => new(description);

    public static Device device(DeviceType type, int index = -1) => new(type, index);

    /// <summary>The device of tensors made without naming one.</summary>
    /// <exception cref="InvalidOperationException">It is not available.</exception>
    public static void set_default_device(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        default_device = Available("set_default_device", device);
    }

    public static Device get_default_device() => default_device;
}
