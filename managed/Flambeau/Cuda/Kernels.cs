using System.Text;
using Flambeau.Interop;

namespace Flambeau;

public static partial class torch
{
    public static unsafe partial class cuda
    {
        /// <summary>
        /// Compiles kernels written in CUDA C++ for the current device. Declare them <c>extern "C" __global__</c>, so that they are found by name.
        /// </summary>
        /// <param name="options">Of the compiler, for example "--use_fast_math".</param>
        /// <exception cref="ArgumentException">The source does not compile; the text is the compiler's.</exception>
        /// <exception cref="InvalidOperationException">There is no device, or the compiler (NVRTC) was not found.</exception>
        public static KernelModule compile(string source, params string[] options)
        {
            ArgumentNullException.ThrowIfNull(source);
            int device = Cuda.Index("compile", null);
            byte[] text = Utf8(source);
            byte[] all = Utf8(string.Join('\0', options));
            var starts = stackalloc byte*[options.Length + 1];
            void* module;
            fixed (byte* s = text, o = all)
            {
                byte* at = o;
                for (int i = 0; i < options.Length; i++)
                {
                    starts[i] = at;
                    at += Encoding.UTF8.GetByteCount(options[i]) + 1;
                }
                Error.Check(NativeCuda.flam_cuda_module_compile(device, s, starts, options.Length, &module), "compile");
            }
            return new KernelModule(new ModuleHandle(device, module));
        }

        private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text + '\0');

        /// <summary>Compiled kernels. Never needs disposing.</summary>
        public sealed class KernelModule : IDisposable
        {
            private readonly ModuleHandle handle;
            private readonly Dictionary<string, nint> functions = [];

            internal KernelModule(ModuleHandle handle) => this.handle = handle;

            public Device device => Cuda.Device("device", handle.Device);

            /// <summary>Queues a kernel on the current stream.</summary>
            /// <param name="grid">Blocks.</param>
            /// <param name="block">Threads of a block.</param>
            /// <param name="args">
            /// In the order of the kernel's parameters: a tensor passes the address of its first element, a number its value in its own type
            /// (int is int, long is long long, float is float, double is double, bool is bool, Half is __half, BFloat16 is __nv_bfloat16).
            /// </param>
            /// <exception cref="ArgumentException">There is no such kernel, a tensor is elsewhere, or an argument is of another type.</exception>
            public void launch(string name, int grid, int block, params object[] args) => launch(name, (grid, 1, 1), (block, 1, 1), 0, args);

            /// <param name="shared_bytes">Dynamic shared memory of a block.</param>
            public void launch(string name, (int x, int y, int z) grid, (int x, int y, int z) block, int shared_bytes, params object[] args)
            {
                ArgumentNullException.ThrowIfNull(args);
                void* function = Function(name);
                var values = stackalloc ulong[args.Length + 1];
                var places = stackalloc void*[args.Length + 1];
                var held = new List<Storage>();
                try
                {
                    for (int i = 0; i < args.Length; i++)
                    {
                        places[i] = values + i;
                        Place(args[i], i, values + i, held);
                    }
                    int* blocks = stackalloc int[] { grid.x, grid.y, grid.z }, threads = stackalloc int[] { block.x, block.y, block.z };
                    Error.Check(NativeCuda.flam_cuda_function_launch(handle.Device, function, blocks, threads, shared_bytes, places), name);
                    foreach (object arg in args)
                        if (arg is Tensor t) t.storage.Version++;
                }
                finally
                {
                    foreach (Storage s in held) s.LetGo();
                    GC.KeepAlive(this);
                }
            }

            private void Place(object arg, int i, void* p, List<Storage> held)
            {
                switch (arg)
                {
                    case Tensor t:
                        if (t.device != device) throw Error.Argument("launch", $"argument {i} is on {t.device}, the kernel on {device}");
                        held.Add(t.Hold("launch", out flam_tensor view));
                        *(void**)p = view.data;
                        break;
                    case int n: *(int*)p = n; break;
                    case long n: *(long*)p = n; break;
                    case uint n: *(uint*)p = n; break;
                    case ulong n: *(ulong*)p = n; break;
                    case float x: *(float*)p = x; break;
                    case double x: *(double*)p = x; break;
                    case bool b: *(bool*)p = b; break;
                    case byte n: *(byte*)p = n; break;
                    case sbyte n: *(sbyte*)p = n; break;
                    case short n: *(short*)p = n; break;
                    case Half x: *(Half*)p = x; break;
                    case BFloat16 x: *(BFloat16*)p = x; break;
                    default: throw Error.Argument("launch", $"argument {i} is a {arg?.GetType().Name ?? "null"}; kernels take tensors and numbers");
                }
            }

            private void* Function(string name)
            {
                lock (functions)
                {
                    if (functions.TryGetValue(name, out nint known)) return (void*)known;
                    void* found;
                    fixed (byte* n = Utf8(name)) Error.Check(NativeCuda.flam_cuda_module_function(handle.Device, handle.Pointer("launch"), n, &found), "launch");
                    functions[name] = (nint)found;
                    return found;
                }
            }

            public void Dispose() => handle.Dispose();
        }
    }
}
