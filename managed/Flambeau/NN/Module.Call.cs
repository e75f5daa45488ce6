namespace Flambeau;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>What can be called with 1 input.</summary>
        public interface IModule<T, TResult>
        {
            TResult call(T input);
        }

        /// <summary>What can be called with 2 inputs.</summary>
        public interface IModule<T1, T2, TResult>
        {
            TResult call(T1 input1, T2 input2);
        }

        /// <summary>What can be called with 3 inputs.</summary>
        public interface IModule<T1, T2, T3, TResult>
        {
            TResult call(T1 input1, T2 input2, T3 input3);
        }

        /// <summary>What can be called with 4 inputs.</summary>
        public interface IModule<T1, T2, T3, T4, TResult>
        {
            TResult call(T1 input1, T2 input2, T3 input3, T4 input4);
        }

        /// <summary>What can be called with 5 inputs.</summary>
        public interface IModule<T1, T2, T3, T4, T5, TResult>
        {
            TResult call(T1 input1, T2 input2, T3 input3, T4 input4, T5 input5);
        }

        /// <summary>What can be called with 6 inputs.</summary>
        public interface IModule<T1, T2, T3, T4, T5, T6, TResult>
        {
            TResult call(T1 input1, T2 input2, T3 input3, T4 input4, T5 input5, T6 input6);
        }

        /// <summary>A module of one input: derive from it and write forward.</summary>
        public abstract class Module<T, TResult> : HookableModule<Func<Module<T, TResult>, T, T>, Func<Module<T, TResult>, T, TResult, TResult>>, IModule<T, TResult>
        {
            protected Module() { }

            protected Module(string name) : base(name) { }

            /// <summary>What the module computes. Runs no hooks.</summary>
            public abstract TResult forward(T input);

            /// <summary>forward with the hooks around it.</summary>
            public TResult call(T input) => HasHooks ? WithHooks(input, forward) : forward(input);

            /// <summary>Another body than forward, with the same hooks around it.</summary>
            private protected TResult WithHooks(T input, Func<T, TResult> body)
            {
                foreach (var hook in PreHooks)
                    if (hook(this, input) is { } changed) input = changed;
                BackwardHooks? backward = StartBackwardHooks();
                backward?.Enter(ref input);
                backward?.Entered();
                TResult result = body(input);
                foreach (var hook in PostHooks)
                    if (hook(this, input, result) is { } changed) result = changed;
                backward?.Leave(ref result);
                return result;
            }
        }

        /// <summary>A module of two inputs.</summary>
        public abstract class Module<T1, T2, TResult> : HookableModule<Func<Module<T1, T2, TResult>, T1, T2, (T1, T2)?>, Func<Module<T1, T2, TResult>, T1, T2, TResult, TResult>>, IModule<T1, T2, TResult>
        {
            protected Module() { }

            protected Module(string name) : base(name) { }

            /// <summary>What the module computes. Runs no hooks.</summary>
            public abstract TResult forward(T1 input1, T2 input2);

            /// <summary>forward with the hooks around it.</summary>
            public TResult call(T1 input1, T2 input2) => HasHooks ? WithHooks(input1, input2, forward) : forward(input1, input2);

            /// <summary>Another body than forward, with the same hooks around it.</summary>
            private protected TResult WithHooks(T1 input1, T2 input2, Func<T1, T2, TResult> body)
            {
                foreach (var hook in PreHooks)
                    if (hook(this, input1, input2) is { } changed) (input1, input2) = changed;
                BackwardHooks? backward = StartBackwardHooks();
                backward?.Enter(ref input1); backward?.Enter(ref input2);
                backward?.Entered();
                TResult result = body(input1, input2);
                foreach (var hook in PostHooks)
                    if (hook(this, input1, input2, result) is { } changed) result = changed;
                backward?.Leave(ref result);
                return result;
            }
        }

        /// <summary>A module of three inputs.</summary>
        public abstract class Module<T1, T2, T3, TResult> : HookableModule<Func<Module<T1, T2, T3, TResult>, T1, T2, T3, (T1, T2, T3)?>, Func<Module<T1, T2, T3, TResult>, T1, T2, T3, TResult, TResult>>, IModule<T1, T2, T3, TResult>
        {
            protected Module() { }

            protected Module(string name) : base(name) { }

            /// <summary>What the module computes. Runs no hooks.</summary>
            public abstract TResult forward(T1 input1, T2 input2, T3 input3);

            /// <summary>forward with the hooks around it.</summary>
            public TResult call(T1 input1, T2 input2, T3 input3)
            {
                if (!HasHooks) return forward(input1, input2, input3);
                foreach (var hook in PreHooks)
                    if (hook(this, input1, input2, input3) is { } changed) (input1, input2, input3) = changed;
                BackwardHooks? backward = StartBackwardHooks();
                backward?.Enter(ref input1); backward?.Enter(ref input2); backward?.Enter(ref input3);
                backward?.Entered();
                TResult result = forward(input1, input2, input3);
                foreach (var hook in PostHooks)
                    if (hook(this, input1, input2, input3, result) is { } changed) result = changed;
                backward?.Leave(ref result);
                return result;
            }
        }

        /// <summary>A module of four inputs.</summary>
        public abstract class Module<T1, T2, T3, T4, TResult> : HookableModule<Func<Module<T1, T2, T3, T4, TResult>, T1, T2, T3, T4, (T1, T2, T3, T4)?>, Func<Module<T1, T2, T3, T4, TResult>, T1, T2, T3, T4, TResult, TResult>>, IModule<T1, T2, T3, T4, TResult>
        {
            protected Module() { }

            protected Module(string name) : base(name) { }

            /// <summary>What the module computes. Runs no hooks.</summary>
            public abstract TResult forward(T1 input1, T2 input2, T3 input3, T4 input4);

            /// <summary>forward with the hooks around it.</summary>
            public TResult call(T1 input1, T2 input2, T3 input3, T4 input4)
            {
                if (!HasHooks) return forward(input1, input2, input3, input4);
                foreach (var hook in PreHooks)
                    if (hook(this, input1, input2, input3, input4) is { } changed) (input1, input2, input3, input4) = changed;
                BackwardHooks? backward = StartBackwardHooks();
                backward?.Enter(ref input1); backward?.Enter(ref input2); backward?.Enter(ref input3); backward?.Enter(ref input4);
                backward?.Entered();
                TResult result = forward(input1, input2, input3, input4);
                foreach (var hook in PostHooks)
                    if (hook(this, input1, input2, input3, input4, result) is { } changed) result = changed;
                backward?.Leave(ref result);
                return result;
            }
        }

        /// <summary>A module of five inputs.</summary>
        public abstract class Module<T1, T2, T3, T4, T5, TResult> : HookableModule<Func<Module<T1, T2, T3, T4, T5, TResult>, T1, T2, T3, T4, T5, (T1, T2, T3, T4, T5)?>, Func<Module<T1, T2, T3, T4, T5, TResult>, T1, T2, T3, T4, T5, TResult, TResult>>, IModule<T1, T2, T3, T4, T5, TResult>
        {
            protected Module() { }

            protected Module(string name) : base(name) { }

            /// <summary>What the module computes. Runs no hooks.</summary>
            public abstract TResult forward(T1 input1, T2 input2, T3 input3, T4 input4, T5 input5);

            /// <summary>forward with the hooks around it.</summary>
            public TResult call(T1 input1, T2 input2, T3 input3, T4 input4, T5 input5)
            {
                if (!HasHooks) return forward(input1, input2, input3, input4, input5);
                foreach (var hook in PreHooks)
                    if (hook(this, input1, input2, input3, input4, input5) is { } changed) (input1, input2, input3, input4, input5) = changed;
                BackwardHooks? backward = StartBackwardHooks();
                backward?.Enter(ref input1); backward?.Enter(ref input2); backward?.Enter(ref input3); backward?.Enter(ref input4); backward?.Enter(ref input5);
                backward?.Entered();
                TResult result = forward(input1, input2, input3, input4, input5);
                foreach (var hook in PostHooks)
                    if (hook(this, input1, input2, input3, input4, input5, result) is { } changed) result = changed;
                backward?.Leave(ref result);
                return result;
            }
        }

        /// <summary>A module of six inputs.</summary>
        public abstract class Module<T1, T2, T3, T4, T5, T6, TResult> : HookableModule<Func<Module<T1, T2, T3, T4, T5, T6, TResult>, T1, T2, T3, T4, T5, T6, (T1, T2, T3, T4, T5, T6)?>, Func<Module<T1, T2, T3, T4, T5, T6, TResult>, T1, T2, T3, T4, T5, T6, TResult, TResult>>, IModule<T1, T2, T3, T4, T5, T6, TResult>
        {
            protected Module() { }

            protected Module(string name) : base(name) { }

            /// <summary>What the module computes. Runs no hooks.</summary>
            public abstract TResult forward(T1 input1, T2 input2, T3 input3, T4 input4, T5 input5, T6 input6);

            /// <summary>forward with the hooks around it.</summary>
            public TResult call(T1 input1, T2 input2, T3 input3, T4 input4, T5 input5, T6 input6) => HasHooks ? WithHooks(input1, input2, input3, input4, input5, input6, forward) : forward(input1, input2, input3, input4, input5, input6);

            /// <summary>Another body than forward, with the same hooks around it.</summary>
            private protected TResult WithHooks(T1 input1, T2 input2, T3 input3, T4 input4, T5 input5, T6 input6, Func<T1, T2, T3, T4, T5, T6, TResult> body)
            {
                foreach (var hook in PreHooks)
                    if (hook(this, input1, input2, input3, input4, input5, input6) is { } changed) (input1, input2, input3, input4, input5, input6) = changed;
                BackwardHooks? backward = StartBackwardHooks();
                backward?.Enter(ref input1); backward?.Enter(ref input2); backward?.Enter(ref input3); backward?.Enter(ref input4); backward?.Enter(ref input5); backward?.Enter(ref input6);
                backward?.Entered();
                TResult result = body(input1, input2, input3, input4, input5, input6);
                foreach (var hook in PostHooks)
                    if (hook(this, input1, input2, input3, input4, input5, input6, result) is { } changed) result = changed;
                backward?.Leave(ref result);
                return result;
            }
        }
    }
}
