using Flambeau.Modules;

namespace Flambeau;

public static partial class torch
{
    public static partial class optim
    {
        public static partial class lr_scheduler
        {
            /// <summary>The rate goes up and down between two values (Smith, 2015); momentum the other way.</summary>
            public static LRScheduler CyclicLR(Optimizer optimizer, double base_lr, double max_lr, int step_size_up = 2000, int step_size_down = -1, impl.CyclicLR.Mode mode = impl.CyclicLR.Mode.Triangular, double gamma = 1, Func<double, double>? scale_fn = null, impl.CyclicLR.ScaleMode scale_mode = impl.CyclicLR.ScaleMode.Cycle, bool cycle_momentum = true, double base_momentum = 0.8, double max_momentum = 0.9, int last_epoch = -1, bool verbose = false) =>
                new impl.CyclicLR(optimizer, base_lr, max_lr, step_size_up, step_size_down, mode, gamma, scale_fn, scale_mode, cycle_momentum, base_momentum, max_momentum, last_epoch, verbose);

            public static LRScheduler CyclicLR(Optimizer optimizer, IEnumerable<double> base_lr, IEnumerable<double> max_lr, int step_size_up = 2000, int step_size_down = -1, impl.CyclicLR.Mode mode = impl.CyclicLR.Mode.Triangular, double gamma = 1, Func<double, double>? scale_fn = null, impl.CyclicLR.ScaleMode scale_mode = impl.CyclicLR.ScaleMode.Cycle, bool cycle_momentum = true, IEnumerable<double>? base_momentum = null, IEnumerable<double>? max_momentum = null, int last_epoch = -1, bool verbose = false) =>
                new impl.CyclicLR(optimizer, base_lr, max_lr, step_size_up, step_size_down, mode, gamma, scale_fn, scale_mode, cycle_momentum, base_momentum, max_momentum, last_epoch, verbose);

            /// <summary>Up to max_lr, then far down, once (Smith and Topin, 2017). Give total_steps, or epochs and steps_per_epoch.</summary>
            public static LRScheduler OneCycleLR(Optimizer optimizer, double max_lr, int total_steps = -1, int epochs = -1, int steps_per_epoch = -1, double pct_start = 0.3, impl.OneCycleLR.AnnealStrategy anneal_strategy = impl.OneCycleLR.AnnealStrategy.Cos, bool cycle_momentum = true, double base_momentum = 0.85, double max_momentum = 0.95, double div_factor = 25, double final_div_factor = 1e4, bool three_phase = false, int last_epoch = -1, bool verbose = false) =>
                new impl.OneCycleLR(optimizer, max_lr, total_steps, epochs, steps_per_epoch, pct_start, anneal_strategy, cycle_momentum, base_momentum, max_momentum, div_factor, final_div_factor, three_phase, last_epoch, verbose);

            public static LRScheduler OneCycleLR(Optimizer optimizer, IEnumerable<double> max_lr, int total_steps = -1, int epochs = -1, int steps_per_epoch = -1, double pct_start = 0.3, impl.OneCycleLR.AnnealStrategy anneal_strategy = impl.OneCycleLR.AnnealStrategy.Cos, bool cycle_momentum = true, IEnumerable<double>? base_momentum = null, IEnumerable<double>? max_momentum = null, double div_factor = 25, double final_div_factor = 1e4, bool three_phase = false, int last_epoch = -1, bool verbose = false) =>
                new impl.OneCycleLR(optimizer, max_lr, total_steps, epochs, steps_per_epoch, pct_start, anneal_strategy, cycle_momentum, base_momentum, max_momentum, div_factor, final_div_factor, three_phase, last_epoch, verbose);

            public static partial class impl
            {
                /// <summary>Momentum, or Adam's beta1, of a group.</summary>
                private static void SetMomentum(ParamGroup group, string scheduler, double value)
                {
                    if (group is IMomentum m) m.Momentum = value;
                    else if (group is IBetas b) b.Betas = (value, b.Betas.Item2);
                    else throw Error.Argument(scheduler, "the optimizer has no momentum to cycle; pass cycle_momentum: false");
                }

                public class CyclicLR : LRScheduler
                {
                    private readonly double[] lows, highs, lowMomenta = [], highMomenta = [];
                    private readonly double period, upShare;
                    private readonly Func<double, double> scale;
                    private readonly bool byCycle, cyclesMomentum;

                    public enum Mode
                    {
                        Triangular = 0,
                        Triangular2 = 1,
                        ExpRange = 2,
                    }

                    public enum ScaleMode
                    {
                        Cycle = 0,
                        Iterations = 1,
                    }

                    public CyclicLR(Optimizer optimizer, double base_lr, double max_lr, int step_size_up = 2000, int step_size_down = -1, Mode mode = Mode.Triangular, double gamma = 1, Func<double, double>? scale_fn = null, ScaleMode scale_mode = ScaleMode.Cycle, bool cycle_momentum = true, double base_momentum = 0.8, double max_momentum = 0.9, int last_epoch = -1, bool verbose = false)
                        : this(optimizer, optimizer.Groups.Select(_ => base_lr), optimizer.Groups.Select(_ => max_lr), step_size_up, step_size_down, mode, gamma, scale_fn, scale_mode, cycle_momentum,
                            optimizer.Groups.Select(_ => base_momentum), optimizer.Groups.Select(_ => max_momentum), last_epoch, verbose)
                    {
                    }

                    public CyclicLR(Optimizer optimizer, IEnumerable<double> base_lr, IEnumerable<double> max_lr, int step_size_up = 2000, int step_size_down = -1, Mode mode = Mode.Triangular, double gamma = 1, Func<double, double>? scale_fn = null, ScaleMode scale_mode = ScaleMode.Cycle, bool cycle_momentum = true, IEnumerable<double>? base_momentum = null, IEnumerable<double>? max_momentum = null, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch, verbose)
                    {
                        lows = PerGroup("base_lr", base_lr);
                        highs = PerGroup("max_lr", max_lr);
                        period = step_size_up + (step_size_down < 0 ? step_size_up : step_size_down);
                        upShare = step_size_up / period;
                        byCycle = scale_fn is null ? mode != Mode.ExpRange : scale_mode == ScaleMode.Cycle;
                        scale = scale_fn ?? mode switch
                        {
                            Mode.Triangular => _ => 1,
                            Mode.Triangular2 => x => 1 / Math.Pow(2, x - 1),
                            _ => x => Math.Pow(gamma, x),
                        };
                        cyclesMomentum = cycle_momentum;
                        if (cycle_momentum)
                        {
                            lowMomenta = PerGroup("base_momentum", base_momentum ?? Same(0.8));
                            highMomenta = PerGroup("max_momentum", max_momentum ?? Same(0.9));
                        }
                        _base_lrs = lows;
                        step();
                    }

                    protected override IEnumerable<double> get_lr()
                    {
                        double cycle = Math.Floor(1 + _last_epoch / period);
                        double x = 1 + _last_epoch / period - cycle; // place within the cycle, 0 to 1
                        double height = (x <= upShare ? x / upShare : (x - 1) / (upShare - 1)) * scale(byCycle ? cycle : _last_epoch);
                        for (int i = 0; cyclesMomentum && i < lows.Length; i++)
                            SetMomentum(Groups[i], nameof(CyclicLR), highMomenta[i] - (highMomenta[i] - lowMomenta[i]) * height);
                        return lows.Select((low, i) => low + (highs[i] - low) * height);
                    }
                }

                public class OneCycleLR : LRScheduler
                {
                    // Ends of the phases, and which of (start, max, final) rates and (max, base) momenta they join.
                    private readonly (double End, int FromRate, int ToRate, bool MomentumDown)[] phases;
                    private readonly double[][] rates; // per group: start, max, final
                    private readonly double[] lowMomenta = [], highMomenta = [];
                    private readonly int total;
                    private readonly bool linear, cyclesMomentum;

                    public enum AnnealStrategy
                    {
                        Cos = 0,
                        Linear = 1,
                    }

                    public OneCycleLR(Optimizer optimizer, double max_lr, int total_steps = -1, int epochs = -1, int steps_per_epoch = -1, double pct_start = 0.3, AnnealStrategy anneal_strategy = AnnealStrategy.Cos, bool cycle_momentum = true, double base_momentum = 0.85, double max_momentum = 0.95, double div_factor = 25, double final_div_factor = 1e4, bool three_phase = false, int last_epoch = -1, bool verbose = false)
                        : this(optimizer, optimizer.Groups.Select(_ => max_lr), total_steps, epochs, steps_per_epoch, pct_start, anneal_strategy, cycle_momentum,
                            optimizer.Groups.Select(_ => base_momentum), optimizer.Groups.Select(_ => max_momentum), div_factor, final_div_factor, three_phase, last_epoch, verbose)
                    {
                    }

                    public OneCycleLR(Optimizer optimizer, IEnumerable<double> max_lr, int total_steps = -1, int epochs = -1, int steps_per_epoch = -1, double pct_start = 0.3, AnnealStrategy anneal_strategy = AnnealStrategy.Cos, bool cycle_momentum = true, IEnumerable<double>? base_momentum = null, IEnumerable<double>? max_momentum = null, double div_factor = 25, double final_div_factor = 1e4, bool three_phase = false, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch, verbose)
                    {
                        if (total_steps <= 0 && (epochs <= 0 || steps_per_epoch <= 0)) throw Error.Argument("OneCycleLR", "give total_steps, or both epochs and steps_per_epoch, as positive numbers");
                        if (pct_start is < 0 or > 1) throw Error.Argument("OneCycleLR", $"pct_start must be from 0 to 1, not {pct_start}");
                        total = total_steps > 0 ? total_steps : epochs * steps_per_epoch;
                        linear = anneal_strategy == AnnealStrategy.Linear;
                        phases = three_phase
                            ? [(pct_start * total - 1, 0, 1, true), (2 * pct_start * total - 2, 1, 0, false), (total - 1, 0, 2, false)]
                            : [(pct_start * total - 1, 0, 1, true), (total - 1, 1, 2, false)];
                        rates = [.. PerGroup("max_lr", max_lr).Select(high => new[] { high / div_factor, high, high / div_factor / final_div_factor })];
                        if (last_epoch == -1)
                            for (int i = 0; i < rates.Length; i++) Groups[i].InitialLearningRate = rates[i][0];
                        _base_lrs = [.. rates.Select(r => r[0])];
                        cyclesMomentum = cycle_momentum;
                        if (cycle_momentum)
                        {
                            lowMomenta = PerGroup("base_momentum", base_momentum ?? Same(0.85));
                            highMomenta = PerGroup("max_momentum", max_momentum ?? Same(0.95));
                        }
                        step();
                    }

                    protected override IEnumerable<double> get_lr()
                    {
                        int n = _last_epoch;
                        if (n > total) throw Error.State("OneCycleLR", $"step {n} is beyond the {total} steps of the schedule");
                        double start = 0;
                        int k = 0;
                        while (k < phases.Length - 1 && n > phases[k].End) start = phases[k++].End;
                        var (end, from, to, down) = phases[k];
                        double share = (n - start) / (end - start);
                        for (int i = 0; cyclesMomentum && i < rates.Length; i++)
                        {
                            bool flat = phases.Length == 3 && k == 2;
                            double high = highMomenta[i], low = flat ? high : lowMomenta[i];
                            SetMomentum(Groups[i], nameof(OneCycleLR), down ? Anneal(high, low, share) : Anneal(low, high, share));
                        }
                        return rates.Select(r => Anneal(r[from], r[to], share));
                    }

                    private double Anneal(double from, double to, double share) =>
                        linear ? (to - from) * share + from : to + (from - to) / 2 * (Math.Cos(Math.PI * share) + 1);
                }
            }
        }
    }
}
