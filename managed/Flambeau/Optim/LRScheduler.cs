namespace Flambeau;

public static partial class torch
{
    public static partial class optim
    {
        public static partial class lr_scheduler
        {
            /// <summary>
            /// Changes the learning rates of an optimizer's groups with the number of steps. Derived classes call step() at the end of their
            /// constructor, which sets the first rates.
            /// </summary>
            public abstract class LRScheduler
            {
                protected readonly Optimizer _optimizer;
                protected IList<double> _base_lrs;
                protected int _last_epoch;
                protected int _step_count;
                protected bool _verbose;
                private double[] lastRates = [];

                protected LRScheduler(Optimizer optimizer, int last_epoch = -1, bool verbose = false)
                {
                    ArgumentNullException.ThrowIfNull(optimizer);
                    _optimizer = optimizer;
                    _last_epoch = last_epoch;
                    _verbose = verbose;
                    foreach (Modules.ParamGroup g in optimizer.Groups)
                        if (!g.Options.HasInitialLearningRate) g.InitialLearningRate = g.LearningRate;
                    _base_lrs = [.. optimizer.Groups.Select(g => g.InitialLearningRate)];
                }

                internal IList<Modules.ParamGroup> Groups => _optimizer.Groups;

                internal Optimizer Optimizer => _optimizer;

                /// <summary>How many steps the schedule has taken.</summary>
                public int last_epoch => _last_epoch;

                /// <summary>The next rates, one per group, from those of now.</summary>
                protected virtual IEnumerable<double> get_lr() => Groups.Select(g => g.LearningRate);

                /// <summary>The rates at _last_epoch, without regard to those of now; null if there is no such formula.</summary>
                protected virtual IEnumerable<double>? get_closed_form_lr() => null;

                /// <summary>The rates of now, one per group.</summary>
                public IEnumerable<double> get_last_lr() => lastRates;

                /// <summary>The next step of the schedule: call after optimizer.step().</summary>
                public virtual void step()
                {
                    _step_count++;
                    _last_epoch++;
                    Apply([.. get_lr()]);
                }

                /// <summary>Goes to the given step.</summary>
                public virtual void step(int? epoch)
                {
                    if (epoch is not { } e)
                    {
                        step();
                        return;
                    }
                    _step_count++;
                    _last_epoch = e;
                    Apply([.. get_closed_form_lr() ?? get_lr()]);
                }

                /// <summary>The step after a measurement; most schedules do not look at it.</summary>
                public virtual void step(double current, int? epoch = null) => step(epoch);

                private protected void Apply(double[] rates)
                {
                    for (int i = 0; i < rates.Length; i++)
                    {
                        Groups[i].LearningRate = rates[i];
                        if (_verbose) Console.WriteLine($"Adjusting learning rate of group {i} to {rates[i]:E4}.");
                    }
                    lastRates = rates;
                }

                private protected void NoteRates() => lastRates = [.. Groups.Select(g => g.LearningRate)];

                /// <summary>Takes the first step back, for a schedule of schedules.</summary>
                internal void Undo() => _last_epoch--;

                /// <summary>One value per group.</summary>
                private protected double[] PerGroup(string what, IEnumerable<double> values)
                {
                    double[] list = [.. values];
                    if (list.Length != Groups.Count) throw Error.Argument(GetType().Name, $"{list.Length} values of {what} for {Groups.Count} parameter groups");
                    return list;
                }

                private protected IEnumerable<double> Same(double value) => Groups.Select(_ => value);
            }

            /// <summary>The kinds of schedules.</summary>
            public static partial class impl
            {
            }
        }
    }
}
