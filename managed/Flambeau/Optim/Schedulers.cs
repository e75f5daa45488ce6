namespace Flambeau;

public static partial class torch
{
    public static partial class optim
    {
        public static partial class lr_scheduler
        {
            /// <summary>The rate times gamma every step_size steps.</summary>
            public static LRScheduler StepLR(Optimizer optimizer, int step_size, double gamma = 0.1, int last_epoch = -1, bool verbose = false) => new impl.StepLR(optimizer, step_size, gamma, last_epoch, verbose);

            /// <summary>The rate times gamma at each milestone.</summary>
            public static LRScheduler MultiStepLR(Optimizer optimizer, IList<int> milestones, double gamma = 0.1, int last_epoch = -1, bool verbose = false) => new impl.MultiStepLR(optimizer, milestones, gamma, last_epoch, verbose);

            /// <summary>The rate times gamma every step.</summary>
            public static LRScheduler ExponentialLR(Optimizer optimizer, double gamma = 0.1, int last_epoch = -1, bool verbose = false) => new impl.ExponentialLR(optimizer, gamma, last_epoch, verbose);

            /// <summary>The rate times factor for the first total_iters steps.</summary>
            public static LRScheduler ConstantLR(Optimizer optimizer, double factor = 1.0 / 3, int total_iters = 5, int last_epoch = -1, bool verbose = false) => new impl.ConstantLR(optimizer, factor, total_iters, last_epoch, verbose);

            /// <summary>The rate times a factor that goes in a line from start_factor to end_factor in total_iters steps.</summary>
            public static LRScheduler LinearLR(Optimizer optimizer, double start_factor = 1.0 / 3, double end_factor = 1, int total_iters = 5, int last_epoch = -1, bool verbose = false) => new impl.LinearLR(optimizer, start_factor, end_factor, total_iters, last_epoch, verbose);

            /// <summary>The rate times (1 - step / total_iters)^power.</summary>
            public static LRScheduler PolynomialLR(Optimizer optimizer, int total_iters = 5, double power = 1, int last_epoch = -1, bool verbose = false) => new impl.PolynomialLR(optimizer, total_iters, power, last_epoch, verbose);

            /// <summary>From the rate to eta_min along half a cosine in T_max steps (Loshchilov and Hutter, 2016).</summary>
            public static LRScheduler CosineAnnealingLR(Optimizer optimizer, double T_max, double eta_min = 0, int last_epoch = -1, bool verbose = false) => new impl.CosineAnnealingLR(optimizer, T_max, eta_min, last_epoch, verbose);

            /// <summary>The rate times a function of the step.</summary>
            public static LRScheduler LambdaLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false) => new impl.LambdaLR(optimizer, lr_lambda, last_epoch, verbose);

            /// <summary>The rate of before times a function of the step.</summary>
            public static LRScheduler MultiplicativeLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false) => new impl.MultiplicativeLR(optimizer, lr_lambda, last_epoch, verbose);

            public static LRScheduler LambdaLR(Optimizer optimizer, IEnumerable<Func<int, double>> lr_lambdas, int last_epoch = -1, bool verbose = false) => new impl.LambdaLR(optimizer, lr_lambdas, last_epoch, verbose);

            public static LRScheduler MultiplicativeLR(Optimizer optimizer, IEnumerable<Func<int, double>> lr_lambdas, int last_epoch = -1, bool verbose = false) => new impl.MultiplicativeLR(optimizer, lr_lambdas, last_epoch, verbose);

            public static partial class impl
            {
                public class StepLR : LRScheduler
                {
                    private readonly int step_size;
                    private readonly double gamma;

                    public StepLR(Optimizer optimizer, int step_size, double gamma = 0.1, int last_epoch = -1, bool verbose = false) : base(optimizer, last_epoch, verbose)
                    {
                        if (step_size <= 0) throw Error.Argument("StepLR", $"step_size must be positive, not {step_size}");
                        this.step_size = step_size;
                        this.gamma = gamma;
                        step();
                    }

                    // chainable: from the rates of now
                    protected override IEnumerable<double> get_lr() => Groups.Select(g => _last_epoch == 0 || _last_epoch % step_size != 0 ? g.LearningRate : g.LearningRate * gamma);

                    protected override IEnumerable<double> get_closed_form_lr() => _base_lrs.Select(lr => lr * Math.Pow(gamma, _last_epoch / step_size));
                }

                public class MultiStepLR : LRScheduler
                {
                    private readonly int[] milestones;
                    private readonly double gamma;

                    public MultiStepLR(Optimizer optimizer, IList<int> milestones, double gamma = 0.1, int last_epoch = -1, bool verbose = false) : base(optimizer, last_epoch, verbose)
                    {
                        this.milestones = [.. milestones.Order()];
                        this.gamma = gamma;
                        step();
                    }

                    // chainable: from the rates of now
                    protected override IEnumerable<double> get_lr() => Groups.Select(g => g.LearningRate * Math.Pow(gamma, milestones.Count(m => m == _last_epoch)));

                    protected override IEnumerable<double> get_closed_form_lr() => _base_lrs.Select(lr => lr * Math.Pow(gamma, milestones.Count(m => m <= _last_epoch)));
                }

                public class ExponentialLR : LRScheduler
                {
                    private readonly double gamma;

                    public ExponentialLR(Optimizer optimizer, double gamma = 0.1, int last_epoch = -1, bool verbose = false) : base(optimizer, last_epoch, verbose)
                    {
                        this.gamma = gamma;
                        step();
                    }

                    // chainable: from the rates of now
                    protected override IEnumerable<double> get_lr() => Groups.Select(g => _last_epoch == 0 ? g.LearningRate : g.LearningRate * gamma);

                    protected override IEnumerable<double> get_closed_form_lr() => _base_lrs.Select(lr => lr * Math.Pow(gamma, _last_epoch));
                }

                public class ConstantLR : LRScheduler
                {
                    private readonly double factor;
                    private readonly int total_iters;

                    public ConstantLR(Optimizer optimizer, double factor = 1.0 / 3, int total_iters = 5, int last_epoch = -1, bool verbose = false) : base(optimizer, last_epoch, verbose)
                    {
                        if (factor is < 0 or > 1) throw Error.Argument("ConstantLR", $"factor must be from 0 to 1, not {factor}");
                        this.factor = factor;
                        this.total_iters = total_iters;
                        step();
                    }

                    // chainable: from the rates of now
                    protected override IEnumerable<double> get_lr() => Groups.Select(g => g.LearningRate * (_last_epoch == 0 ? factor : _last_epoch == total_iters ? 1 / factor : 1));

                    protected override IEnumerable<double> get_closed_form_lr() => _base_lrs.Select(lr => lr * (_last_epoch >= total_iters ? 1 : factor));
                }

                public class LinearLR : LRScheduler
                {
                    private readonly double start_factor;
                    private readonly double end_factor;
                    private readonly int total_iters;

                    public LinearLR(Optimizer optimizer, double start_factor = 1.0 / 3, double end_factor = 1, int total_iters = 5, int last_epoch = -1, bool verbose = false) : base(optimizer, last_epoch, verbose)
                    {
                        if (start_factor is <= 0 or > 1 || end_factor is < 0 or > 1) throw Error.Argument("LinearLR", $"the factors must be from 0 to 1 and the first above 0, not {start_factor} and {end_factor}");
                        this.start_factor = start_factor;
                        this.end_factor = end_factor;
                        this.total_iters = total_iters;
                        step();
                    }

                    // factor(n) / factor(n - 1), with factor(n) = start + (end - start) n / total
                    private double Ratio => _last_epoch == 0 ? start_factor
                        : _last_epoch > total_iters ? 1
                        : 1 + (end_factor - start_factor) / (total_iters * start_factor + (_last_epoch - 1) * (end_factor - start_factor));

                    protected override IEnumerable<double> get_lr() => Groups.Select(g => g.LearningRate * Ratio);

                    protected override IEnumerable<double> get_closed_form_lr() => _base_lrs.Select(lr => lr * (start_factor + (end_factor - start_factor) * Math.Min(total_iters, _last_epoch) / total_iters));
                }

                public class PolynomialLR : LRScheduler
                {
                    private readonly int total_iters;
                    private readonly double power;

                    public PolynomialLR(Optimizer optimizer, int total_iters = 5, double power = 1, int last_epoch = -1, bool verbose = false) : base(optimizer, last_epoch, verbose)
                    {
                        this.total_iters = total_iters;
                        this.power = power;
                        step();
                    }

                    private double Left(int n) => 1 - (double)n / total_iters;

                    protected override IEnumerable<double> get_lr() => Groups.Select(g =>
                        _last_epoch == 0 || _last_epoch > total_iters ? g.LearningRate : g.LearningRate * Math.Pow(Left(_last_epoch) / Left(_last_epoch - 1), power));

                    protected override IEnumerable<double> get_closed_form_lr() => _base_lrs.Select(lr => lr * Math.Pow(Left(Math.Min(total_iters, _last_epoch)), power));
                }

                public class CosineAnnealingLR : LRScheduler
                {
                    private readonly double T_max;
                    private readonly double eta_min;

                    public CosineAnnealingLR(Optimizer optimizer, double T_max, double eta_min = 0, int last_epoch = -1, bool verbose = false) : base(optimizer, last_epoch, verbose)
                    {
                        this.T_max = T_max;
                        this.eta_min = eta_min;
                        step();
                    }

                    private double Height(double n) => 1 + Math.Cos(Math.PI * n / T_max);

                    protected override IEnumerable<double> get_lr()
                    {
                        if (_last_epoch == 0) return base.get_lr();
                        if (_step_count == 1) return get_closed_form_lr()!;
                        // At the lowest point the ratio of heights is 0 / 0: add the first rise instead.
                        if ((_last_epoch - 1 - T_max) % (2 * T_max) == 0)
                            return Groups.Select((g, i) => g.LearningRate + (_base_lrs[i] - eta_min) * (2 - Height(1)) / 2);
                        return Groups.Select(g => Height(_last_epoch) / Height(_last_epoch - 1) * (g.LearningRate - eta_min) + eta_min);
                    }

                    protected override IEnumerable<double> get_closed_form_lr() => _base_lrs.Select(lr => eta_min + (lr - eta_min) * Height(_last_epoch) / 2);
                }

                public class LambdaLR : LRScheduler
                {
                    private readonly Func<int, double>[] lambdas;

                    public LambdaLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false)
                        : this(optimizer, optimizer.Groups.Select(_ => lr_lambda), last_epoch, verbose)
                    {
                    }

                    public LambdaLR(Optimizer optimizer, IEnumerable<Func<int, double>> lr_lambdas, int last_epoch = -1, bool verbose = false) : base(optimizer, last_epoch, verbose)
                    {
                        lambdas = [.. lr_lambdas];
                        if (lambdas.Length != Groups.Count) throw Error.Argument("LambdaLR", $"{lambdas.Length} functions for {Groups.Count} parameter groups");
                        step();
                    }

                    protected override IEnumerable<double> get_lr() => Groups.Select((g, i) => _base_lrs[i] * lambdas[i](_last_epoch));
                }

                public class MultiplicativeLR : LRScheduler
                {
                    private readonly Func<int, double>[] lambdas;

                    public MultiplicativeLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false)
                        : this(optimizer, optimizer.Groups.Select(_ => lr_lambda), last_epoch, verbose)
                    {
                    }

                    public MultiplicativeLR(Optimizer optimizer, IEnumerable<Func<int, double>> lr_lambdas, int last_epoch = -1, bool verbose = false) : base(optimizer, last_epoch, verbose)
                    {
                        lambdas = [.. lr_lambdas];
                        if (lambdas.Length != Groups.Count) throw Error.Argument("MultiplicativeLR", $"{lambdas.Length} functions for {Groups.Count} parameter groups");
                        step();
                    }

                    protected override IEnumerable<double> get_lr() => Groups.Select((g, i) => _last_epoch > 0 ? g.LearningRate * lambdas[i](_last_epoch) : g.LearningRate);
                }
            }
        }
    }
}
