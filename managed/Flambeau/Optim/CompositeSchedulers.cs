namespace Flambeau;

public static partial class torch
{
    public static partial class optim
    {
        public static partial class lr_scheduler
        {
            /// <summary>One schedule after another; they change at the milestones.</summary>
            public static LRScheduler SequentialLR(Optimizer optimizer, IEnumerable<LRScheduler> schedulers, IEnumerable<int> milestones, int last_epoch = -1) =>
                new impl.SequentialLR(optimizer, schedulers, milestones, last_epoch);

            /// <summary>Several schedules at once; their factors multiply.</summary>
            public static LRScheduler ChainedScheduler(IEnumerable<LRScheduler> schedulers) => new impl.ChainedLR(schedulers);

            public static LRScheduler ChainedLR(IEnumerable<LRScheduler> schedulers) => new impl.ChainedLR(schedulers);

            /// <summary>The rate times factor after more than patience steps without a better measurement: call step(loss).</summary>
            public static LRScheduler ReduceLROnPlateau(Optimizer optimizer, string mode = "min", double factor = 0.1, int patience = 10, double threshold = 1e-4, string threshold_mode = "rel", int cooldown = 0, IList<double>? min_lr = null, double eps = 1e-8, bool verbose = false) =>
                new impl.ReduceLROnPlateau(optimizer, mode, factor, patience, threshold, threshold_mode, cooldown, min_lr, eps, verbose);

            /// <summary>Half a cosine down in T_0 steps, then again from the top, each time T_mult times as long (Loshchilov and Hutter, 2016).</summary>
            public static LRScheduler CosineAnnealingWarmRestarts(Optimizer optimizer, int T_0, int T_mult = 1, double eta_min = 0, int last_epoch = -1, bool verbose = false) =>
                new impl.CosineAnnealingWarmRestarts(optimizer, T_0, T_mult, eta_min, last_epoch, verbose);

            public static partial class impl
            {
                public class SequentialLR : LRScheduler
                {
                    private readonly LRScheduler[] schedulers;
                    private readonly int[] milestones;

                    public SequentialLR(Optimizer optimizer, IEnumerable<LRScheduler> schedulers, IEnumerable<int> milestones, int last_epoch = -1) : base(optimizer, last_epoch + 1)
                    {
                        this.schedulers = [.. schedulers];
                        this.milestones = [.. milestones];
                        if (this.schedulers.Length != this.milestones.Length + 1) throw Error.Argument("SequentialLR", $"{this.schedulers.Length} schedules need {this.schedulers.Length - 1} milestones, not {this.milestones.Length}");
                        if (this.schedulers.Any(s => !ReferenceEquals(s.Optimizer, optimizer))) throw Error.Argument("SequentialLR", "the schedules are not all of this optimizer");
                        // Each schedule took its first step when it was made: take those back, then take that of the first one.
                        foreach (Modules.ParamGroup g in Groups) g.LearningRate = g.InitialLearningRate;
                        foreach (LRScheduler s in this.schedulers) s.Undo();
                        this.schedulers[0].step();
                        NoteRates();
                    }

                    public override void step()
                    {
                        _last_epoch++;
                        int at = milestones.Count(m => m <= _last_epoch);
                        if (at > 0 && milestones[at - 1] == _last_epoch) schedulers[at].step(0);
                        else schedulers[at].step();
                        NoteRates();
                    }
                }

                public class ChainedLR : LRScheduler
                {
                    private readonly LRScheduler[] schedulers;

                    public ChainedLR(IEnumerable<LRScheduler> schedulers) : this([.. schedulers]) { }

                    private ChainedLR(LRScheduler[] schedulers)
                        : base(schedulers.Length > 0 ? schedulers[0].Optimizer : throw Error.Argument("ChainedLR", "there are no schedules to chain"))
                    {
                        this.schedulers = schedulers;
                        if (schedulers.Any(s => !ReferenceEquals(s.Optimizer, _optimizer))) throw Error.Argument("ChainedLR", "the schedules are not all of one optimizer");
                        NoteRates();
                    }

                    public override void step()
                    {
                        _last_epoch++;
                        foreach (LRScheduler s in schedulers) s.step();
                        NoteRates();
                    }
                }

                public class ReduceLROnPlateau : LRScheduler
                {
                    private readonly bool smaller, relative;
                    private readonly double factor, threshold, eps;
                    private readonly double[] floors;
                    private readonly int patience, cooldown;
                    private double best;
                    private int bad, cooling;

                    public ReduceLROnPlateau(Optimizer optimizer, string mode = "min", double factor = 0.1, int patience = 10, double threshold = 1e-4, string threshold_mode = "rel", int cooldown = 0, IList<double>? min_lr = null, double eps = 1e-8, bool verbose = false)
                        : base(optimizer, 0, verbose)
                    {
                        if (factor >= 1) throw Error.Argument("ReduceLROnPlateau", $"factor must be below 1, not {factor}");
                        if (mode is not ("min" or "max")) throw Error.Argument("ReduceLROnPlateau", $"mode must be min or max, not '{mode}'");
                        if (threshold_mode is not ("rel" or "abs")) throw Error.Argument("ReduceLROnPlateau", $"threshold_mode must be rel or abs, not '{threshold_mode}'");
                        (smaller, relative) = (mode == "min", threshold_mode == "rel");
                        (this.factor, this.threshold, this.eps, this.patience, this.cooldown) = (factor, threshold, eps, patience, cooldown);
                        floors = PerGroup("min_lr", min_lr is null ? Same(0) : min_lr.Count == 1 ? Same(min_lr[0]) : min_lr);
                        best = smaller ? double.PositiveInfinity : double.NegativeInfinity;
                        NoteRates();
                    }

                    public override void step() => throw Error.Argument("ReduceLROnPlateau", "step needs the measurement: step(loss)");

                    /// <summary>The measurement as an integer.</summary>
                    public override void step(int? epoch)
                    {
                        if (epoch is { } measured) step((double)measured);
                        else step();
                    }

                    public override void step(double current, int? epoch = null)
                    {
                        _last_epoch = epoch ?? _last_epoch + 1;
                        bad = Better(current) ? 0 : bad + 1;
                        if (bad == 0) best = current;
                        if (cooling > 0)
                        {
                            cooling--;
                            bad = 0;
                        }
                        if (bad > patience)
                        {
                            Apply([.. Groups.Select((g, i) => Reduced(g.LearningRate, floors[i]))]);
                            cooling = cooldown;
                            bad = 0;
                        }
                        NoteRates();
                    }

                    private double Reduced(double rate, double floor)
                    {
                        double next = Math.Max(rate * factor, floor);
                        return rate - next > eps ? next : rate;
                    }

                    private bool Better(double x) => smaller
                        ? x < (relative ? best * (1 - threshold) : best - threshold)
                        : x > (relative ? best * (1 + threshold) : best + threshold);
                }

                public class CosineAnnealingWarmRestarts : LRScheduler
                {
                    private readonly int first, times;
                    private readonly double low;
                    private double now, length;

                    public CosineAnnealingWarmRestarts(Optimizer optimizer, int T_0, int T_mult = 1, double eta_min = 0, int last_epoch = -1, bool verbose = false) : base(optimizer, last_epoch, verbose)
                    {
                        if (T_0 <= 0) throw Error.Argument("CosineAnnealingWarmRestarts", $"T_0 must be positive, not {T_0}");
                        if (T_mult < 1) throw Error.Argument("CosineAnnealingWarmRestarts", $"T_mult must be at least 1, not {T_mult}");
                        (first, times, low, now, length) = (T_0, T_mult, eta_min, last_epoch, T_0);
                        step();
                    }

                    protected override IEnumerable<double> get_lr() => _base_lrs.Select(lr => low + (lr - low) * (1 + Math.Cos(Math.PI * now / length)) / 2);

                    public override void step()
                    {
                        if (++now >= length)
                        {
                            now -= length;
                            length *= times;
                        }
                        base.step();
                    }

                    /// <summary>Goes to an epoch, which may be a fraction.</summary>
                    public override void step(double current, int? epoch = null)
                    {
                        if (current < 0) throw Error.Argument("CosineAnnealingWarmRestarts", $"the epoch must not be negative: {current}");
                        (now, length) = (current, first);
                        while (now >= length)
                        {
                            now -= length;
                            length *= times;
                        }
                        _last_epoch = (int)Math.Floor(current);
                        Apply([.. get_lr()]);
                    }

                    public override void step(int? epoch)
                    {
                        if (epoch is { } e) step((double)e);
                        else step();
                    }
                }
            }
        }
    }
}
