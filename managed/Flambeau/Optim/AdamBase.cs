using Flambeau.Interop;
using static Flambeau.torch;

namespace Flambeau.Modules;

/// <summary>Adam and AdamW: the formulas differ only in where the weight decay goes.</summary>
public abstract class AdamBase : OptimizerHelper, optim.IBetas
{
    private readonly FusedStep fused; // parameter, gradient, and the three averages

    private protected AdamBase(AdamOptions defaults, string name) : base(defaults)
    {
        fused = new FusedStep(name, 5);
        CheckRange("the learning rate", defaults.LearningRate!.Value);
        CheckRange("beta1", defaults.beta1!.Value, 0, 1);
        CheckRange("beta2", defaults.beta2!.Value, 0, 1);
        CheckRange("eps", defaults.eps!.Value);
        CheckRange("weight_decay", defaults.weight_decay!.Value);
    }

    private protected abstract bool Decoupled { get; }

    public (double, double) Betas
    {
        get => (((AdamOptions)_defaults).beta1!.Value, ((AdamOptions)_defaults).beta2!.Value);
        set
        {
            (((AdamOptions)_defaults).beta1, ((AdamOptions)_defaults).beta2) = value;
            foreach (ParamGroup group in _parameter_groups) ((optim.IBetas)group).Betas = value;
        }
    }

    private protected override unsafe void StepGroup(ParamGroup group, Parameter[] parameters)
    {
        var o = (AdamOptions)group.Options;
        bool amsgrad = o.amsgrad!.Value;
        // The bias corrections depend on the number of steps, which differs between parameters if some had no gradient at times.
        foreach (var rows in parameters.GroupBy(p => (p.dtype, p.device, Step: ++((AdamState)StateOf(p)).step)))
        {
            foreach (Parameter p in rows)
            {
                var s = (AdamState)StateOf(p);
                s.exp_avg ??= zeros(p.sizes, p.dtype, p.device);
                s.exp_avg_sq ??= zeros(p.sizes, p.dtype, p.device);
                if (amsgrad) s.max_exp_avg_sq ??= zeros(p.sizes, p.dtype, p.device);
                fused.Add(p, p.grad, s.exp_avg, s.exp_avg_sq, amsgrad ? s.max_exp_avg_sq : null);
            }
            var settings = new flam_adam
            {
                lr = group.LearningRate,
                beta1 = o.beta1!.Value,
                beta2 = o.beta2!.Value,
                eps = o.eps!.Value,
                weight_decay = o.weight_decay!.Value,
                step = rows.Key.Step,
                amsgrad = amsgrad ? 1 : 0,
                maximize = o.maximize!.Value ? 1 : 0,
                decoupled = Decoupled ? 1 : 0,
            };
            fused.Run(() =>
            {
                flam_adam s = settings;
                return Native.flam_optim_adam(fused.Count, fused.Lane(0), fused.Lane(1), fused.Lane(2), fused.Lane(3), fused.Lane(4), &s);
            });
        }
    }

    /// <summary>The settings of Adam and AdamW.</summary>
    public abstract class AdamOptions : OptimizerOptions
    {
        public double? beta1;
        public double? beta2;
        public double? eps;
        public double? weight_decay;
        public bool? amsgrad;
        public bool? maximize;

        private protected AdamOptions() { }

        internal override void Visit(Slots slots)
        {
            base.Visit(slots);
            slots.Number("beta1", ref beta1);
            slots.Number("beta2", ref beta2);
            slots.Number("eps", ref eps);
            slots.Number("weight_decay", ref weight_decay);
            slots.Flag("amsgrad", ref amsgrad);
            slots.Flag("maximize", ref maximize);
        }
    }

    /// <summary>The moving averages of gradient and squared gradient; null before the first step.</summary>
    public abstract class AdamState : OptimizerState
    {
        public long step;
        public Tensor? exp_avg;
        public Tensor? exp_avg_sq;
        public Tensor? max_exp_avg_sq;

        private protected AdamState(Parameter parameter) : base(parameter) { }

        internal override void Visit(Slots slots)
        {
            slots.Count("step", ref step);
            slots.Tensor("exp_avg", ref exp_avg);
            slots.Tensor("exp_avg_sq", ref exp_avg_sq);
            slots.Tensor("max_exp_avg_sq", ref max_exp_avg_sq);
        }
    }
}
