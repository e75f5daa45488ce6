using System.Globalization;

namespace Flambeau.Modules;

/// <summary>A list of modules under their numbers or names that takes one input: derive from it and say in forward how they follow each other.</summary>
public abstract class Sequential<T, TResult> : torch.nn.Module<T, TResult>
{
    protected Sequential(params (string name, torch.nn.Module submodule)[] modules) : base(nameof(Sequential))
    {
        foreach ((string name, torch.nn.Module submodule) in modules) Add(name, submodule);
    }

    protected Sequential(params torch.nn.Module[] modules) : base(nameof(Sequential))
    {
        foreach (torch.nn.Module m in modules) Add(m);
    }

    public int Count => Children.Count;

    public torch.nn.Module this[int index] => Children.GetAt(index < 0 ? index + Count : index).Value;

    public Sequential<T, TResult> append(torch.nn.Module module) => append(Count.ToString(CultureInfo.InvariantCulture), module);

    public Sequential<T, TResult> append(string name, torch.nn.Module module)
    {
        Add(name, module);
        return this;
    }

    protected void Add(torch.nn.Module module) => Add(Count.ToString(CultureInfo.InvariantCulture), module);

    protected void Add(string name, torch.nn.Module sm)
    {
        if (Children.ContainsKey(name)) throw Error.Argument("Sequential", $"there are two modules named '{name}'");
        register_module(name, sm);
    }
}

/// <summary>A list of modules under their numbers or names that takes two inputs: derive from it and say in forward how they follow each other.</summary>
public abstract class Sequential<T1, T2, TResult> : torch.nn.Module<T1, T2, TResult>
{
    protected Sequential(params (string name, torch.nn.Module submodule)[] modules) : base(nameof(Sequential))
    {
        foreach ((string name, torch.nn.Module submodule) in modules) Add(name, submodule);
    }

    protected Sequential(params torch.nn.Module[] modules) : base(nameof(Sequential))
    {
        foreach (torch.nn.Module m in modules) Add(m);
    }

    public int Count => Children.Count;

    public torch.nn.Module this[int index] => Children.GetAt(index < 0 ? index + Count : index).Value;

    public Sequential<T1, T2, TResult> append(torch.nn.Module module) => append(Count.ToString(CultureInfo.InvariantCulture), module);

    public Sequential<T1, T2, TResult> append(string name, torch.nn.Module module)
    {
        Add(name, module);
        return this;
    }

    protected void Add(torch.nn.Module module) => Add(Count.ToString(CultureInfo.InvariantCulture), module);

    protected void Add(string name, torch.nn.Module sm)
    {
        if (Children.ContainsKey(name)) throw Error.Argument("Sequential", $"there are two modules named '{name}'");
        register_module(name, sm);
    }
}

/// <summary>A list of modules under their numbers or names that takes three inputs: derive from it and say in forward how they follow each other.</summary>
public abstract class Sequential<T1, T2, T3, TResult> : torch.nn.Module<T1, T2, T3, TResult>
{
    protected Sequential(params (string name, torch.nn.Module submodule)[] modules) : base(nameof(Sequential))
    {
        foreach ((string name, torch.nn.Module submodule) in modules) Add(name, submodule);
    }

    protected Sequential(params torch.nn.Module[] modules) : base(nameof(Sequential))
    {
        foreach (torch.nn.Module m in modules) Add(m);
    }

    public int Count => Children.Count;

    public torch.nn.Module this[int index] => Children.GetAt(index < 0 ? index + Count : index).Value;

    public Sequential<T1, T2, T3, TResult> append(torch.nn.Module module) => append(Count.ToString(CultureInfo.InvariantCulture), module);

    public Sequential<T1, T2, T3, TResult> append(string name, torch.nn.Module module)
    {
        Add(name, module);
        return this;
    }

    protected void Add(torch.nn.Module module) => Add(Count.ToString(CultureInfo.InvariantCulture), module);

    protected void Add(string name, torch.nn.Module sm)
    {
        if (Children.ContainsKey(name)) throw Error.Argument("Sequential", $"there are two modules named '{name}'");
        register_module(name, sm);
    }
}

/// <summary>A list of modules under their numbers or names that takes four inputs: derive from it and say in forward how they follow each other.</summary>
public abstract class Sequential<T1, T2, T3, T4, TResult> : torch.nn.Module<T1, T2, T3, T4, TResult>
{
    protected Sequential(params (string name, torch.nn.Module submodule)[] modules) : base(nameof(Sequential))
    {
        foreach ((string name, torch.nn.Module submodule) in modules) Add(name, submodule);
    }

    protected Sequential(params torch.nn.Module[] modules) : base(nameof(Sequential))
    {
        foreach (torch.nn.Module m in modules) Add(m);
    }

    public int Count => Children.Count;

    public torch.nn.Module this[int index] => Children.GetAt(index < 0 ? index + Count : index).Value;

    public Sequential<T1, T2, T3, T4, TResult> append(torch.nn.Module module) => append(Count.ToString(CultureInfo.InvariantCulture), module);

    public Sequential<T1, T2, T3, T4, TResult> append(string name, torch.nn.Module module)
    {
        Add(name, module);
        return this;
    }

    protected void Add(torch.nn.Module module) => Add(Count.ToString(CultureInfo.InvariantCulture), module);

    protected void Add(string name, torch.nn.Module sm)
    {
        if (Children.ContainsKey(name)) throw Error.Argument("Sequential", $"there are two modules named '{name}'");
        register_module(name, sm);
    }
}

/// <summary>A list of modules under their numbers or names that takes five inputs: derive from it and say in forward how they follow each other.</summary>
public abstract class Sequential<T1, T2, T3, T4, T5, TResult> : torch.nn.Module<T1, T2, T3, T4, T5, TResult>
{
    protected Sequential(params (string name, torch.nn.Module submodule)[] modules) : base(nameof(Sequential))
    {
        foreach ((string name, torch.nn.Module submodule) in modules) Add(name, submodule);
    }

    protected Sequential(params torch.nn.Module[] modules) : base(nameof(Sequential))
    {
        foreach (torch.nn.Module m in modules) Add(m);
    }

    public int Count => Children.Count;

    public torch.nn.Module this[int index] => Children.GetAt(index < 0 ? index + Count : index).Value;

    public Sequential<T1, T2, T3, T4, T5, TResult> append(torch.nn.Module module) => append(Count.ToString(CultureInfo.InvariantCulture), module);

    public Sequential<T1, T2, T3, T4, T5, TResult> append(string name, torch.nn.Module module)
    {
        Add(name, module);
        return this;
    }

    protected void Add(torch.nn.Module module) => Add(Count.ToString(CultureInfo.InvariantCulture), module);

    protected void Add(string name, torch.nn.Module sm)
    {
        if (Children.ContainsKey(name)) throw Error.Argument("Sequential", $"there are two modules named '{name}'");
        register_module(name, sm);
    }
}

/// <summary>A list of modules under their numbers or names that takes six inputs: derive from it and say in forward how they follow each other.</summary>
public abstract class Sequential<T1, T2, T3, T4, T5, T6, TResult> : torch.nn.Module<T1, T2, T3, T4, T5, T6, TResult>
{
    protected Sequential(params (string name, torch.nn.Module submodule)[] modules) : base(nameof(Sequential))
    {
        foreach ((string name, torch.nn.Module submodule) in modules) Add(name, submodule);
    }

    protected Sequential(params torch.nn.Module[] modules) : base(nameof(Sequential))
    {
        foreach (torch.nn.Module m in modules) Add(m);
    }

    public int Count => Children.Count;

    public torch.nn.Module this[int index] => Children.GetAt(index < 0 ? index + Count : index).Value;

    public Sequential<T1, T2, T3, T4, T5, T6, TResult> append(torch.nn.Module module) => append(Count.ToString(CultureInfo.InvariantCulture), module);

    public Sequential<T1, T2, T3, T4, T5, T6, TResult> append(string name, torch.nn.Module module)
    {
        Add(name, module);
        return this;
    }

    protected void Add(torch.nn.Module module) => Add(Count.ToString(CultureInfo.InvariantCulture), module);

    protected void Add(string name, torch.nn.Module sm)
    {
        if (Children.ContainsKey(name)) throw Error.Argument("Sequential", $"there are two modules named '{name}'");
        register_module(name, sm);
    }
}
