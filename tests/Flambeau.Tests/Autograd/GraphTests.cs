using static Flambeau.torch;

namespace Flambeau.Tests;

public class GraphTests
{
    private static Tensor Leaf(params double[] values) => torch.tensor(values).requires_grad_();

    private static void Holds(Tensor? x, params double[] expected)
    {
        Assert.That(x, Is.Not.Null);
        Assert.That(Close.Doubles(x!), Is.EqualTo(expected).Within(1e-9));
    }

    [Test]
    public void Gradients_add_up_over_uses_and_over_calls()
    {
        Tensor x = Leaf(2, 3);
        (x * x + x).sum().backward();
        Holds(x.grad, 5, 7);
        x.sum().backward();
        Holds(x.grad, 6, 8);
    }

    [Test]
    public void A_chain_of_100000_ops_needs_no_stack()
    {
        Tensor x = Leaf(1), y = x;
        for (int i = 0; i < 100_000; i++) y = y + 1;
        y.sum().backward();
        Holds(x.grad, 1);
    }

    [Test]
    public void Second_backward_needs_retain_graph()
    {
        Tensor x = Leaf(3), y = (x * x).sum();
        y.backward(retain_graph: true);
        y.backward();
        Holds(x.grad, 12);
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => y.backward())!;
        Assert.That(e.Message, Does.StartWith("[backward]").And.Contain("retain_graph"));
    }

    [Test]
    public void Create_graph_gives_second_and_third_derivatives()
    {
        Tensor x = Leaf(2), y = (x * x * x).sum();
        Tensor g = autograd.grad([y], [x], create_graph: true)[0]!;
        Holds(g, 12);
        Tensor gg = autograd.grad([g.sum()], [x], create_graph: true)[0]!;
        Holds(gg, 12);
        Holds(autograd.grad([gg.sum()], [x])[0], 6);
        Assert.That(x.grad, Is.Null);
    }

    [Test]
    public void Grad_of_an_unused_input_is_an_error_or_null()
    {
        Tensor x = Leaf(1), z = Leaf(1), y = (x * 2).sum();
        Assert.Throws<InvalidOperationException>(() => autograd.grad([y], [z], retain_graph: true));
        Assert.That(autograd.grad([y], [z], allow_unused: true)[0], Is.Null);
    }

    [Test]
    public void Grad_with_respect_to_an_intermediate_result()
    {
        Tensor x = Leaf(3), h = x * 2, y = (h * h).sum();
        Holds(autograd.grad([y], [h], retain_graph: true)[0], 12);
        Holds(autograd.grad([y], [x])[0], 24);
    }

    [Test]
    public void Backward_into_named_inputs_leaves_others_alone()
    {
        Tensor a = Leaf(1), b = Leaf(2);
        (a * b).sum().backward(inputs: [a]);
        Holds(a.grad, 2);
        Assert.That(b.grad, Is.Null);
    }

    [Test]
    public void No_grad_records_nothing_and_detach_cuts()
    {
        Tensor x = Leaf(1);
        using (no_grad()) Assert.That((x * 2).requires_grad, Is.False);
        Assert.That((x * 2).requires_grad, Is.True);
        Assert.That((x * 2).detach().requires_grad, Is.False);
        using (inference_mode()) Assert.That((x * 2).requires_grad, Is.False);
        using (no_grad())
        using (enable_grad()) Assert.That((x * 2).requires_grad, Is.True);
    }

    [Test]
    public void Saved_tensor_modified_in_place_names_op_shape_and_versions()
    {
        Tensor x = Leaf(1, 2), y = x.exp();
        y.add_(1);
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => y.sum().backward())!;
        Assert.That(e.Message, Does.Contain("exp").And.Contain("[2]").And.Contain("version 1").And.Contain("expected 0"));
    }

    [Test]
    public void Leaf_cannot_be_changed_in_place_while_recording()
    {
        Tensor x = Leaf(1, 2);
        Assert.That(Assert.Throws<InvalidOperationException>(() => x.add_(1))!.Message, Does.StartWith("[add_]"));
        Assert.Throws<InvalidOperationException>(() => x[0].mul_(2));
        using (no_grad()) x.add_(1);
        Holds(x, 2, 3);
    }

    [Test]
    public void In_place_ops_have_the_gradient_of_their_plain_form()
    {
        Tensor x = Leaf(1, 2, 3), w = Leaf(4, 5, 6);
        Tensor y = x * 1;
        y.mul_(w);
        y.add_(x);
        y.sum().backward();
        Holds(x.grad, 5, 6, 7);
        Holds(w.grad, 1, 2, 3);
    }

    [Test]
    public void Writing_into_a_view_moves_the_history_of_its_base()
    {
        Tensor x = Leaf(1, 2, 3), v = Leaf(10);
        Tensor y = x * 2;
        y[1] = v.select(0, 0) * 3;
        (y * y).sum().backward();
        Holds(y, 2, 30, 6);
        Holds(x.grad, 8, 0, 24);
        Holds(v.grad, 180);
    }

    [Test]
    public void A_view_taken_before_sees_the_history_of_its_base()
    {
        Tensor x = Leaf(1, 2, 3), y = x * 1, front = y.narrow(0, 0, 2);
        y.mul_(x);
        front.sum().backward();
        Holds(x.grad, 2, 4, 0);
    }

    [Test]
    public void A_plain_buffer_that_is_written_joins_the_graph()
    {
        Tensor w = Leaf(2, 3), buffer = zeros([2, 2], float64);
        buffer[0] = w;
        buffer[1] = w * w;
        Assert.That(buffer.requires_grad, Is.True);
        (buffer * buffer).sum().backward();
        Holds(w.grad, 2 * 2 + 4 * 8, 2 * 3 + 4 * 27);
    }

    [Test]
    public void In_place_on_views_passes_gradcheck_twice()
    {
        Tensor x = Leaf(0.5, -1, 2, 3), w = Leaf(1.5, 2.5);
        Tensor F(Tensor[] a)
        {
            Tensor y = a[0].clone();
            y.slice(0, 0, 4, 2).mul_(a[1]);
            y.narrow(0, 1, 2).exp_();
            return y * a[0];
        }
        Assert.That(autograd.gradcheck(F, [x, w]), Is.True);
        Assert.That(autograd.gradgradcheck(a => [F(a)], [x, w]), Is.True);
    }

    [Test]
    public void As_strided_of_a_sliced_tensor_stays_inside_its_memory()
    {
        Tensor x = Leaf(1, 2, 3, 4, 5, 6, 7, 8), sliced = x.slice(0, 2, 8, 2); // 3 5 7
        sliced.as_strided([2], [3], 1).sum().backward(); // reaches elements 1 and 4 of the storage
        Holds(x.grad, 0, 0, 0, 0, 1, 0, 0, 0);
        Tensor y = Leaf(1, 2, 3, 4);
        y.as_strided([3, 2], [1, 1], 0).sum().backward();
        Holds(y.grad, 1, 2, 2, 1);
    }

    [Test]
    public void Hooks_see_and_replace_gradients()
    {
        Tensor x = Leaf(1, 2), h = x * 3;
        var seen = new List<double>();
        h.register_hook(g =>
        {
            seen.AddRange(Close.Doubles(g));
            return g * 10;
        });
        HookRemover removed = x.register_hook(g => g * 100);
        removed.remove();
        h.retain_grad();
        h.sum().backward();
        Assert.That(seen, Is.EqualTo(new double[] { 1, 1 }));
        Holds(x.grad, 30, 30);
        Holds(h.grad, 10, 10);
    }

    [Test]
    public void Post_accumulate_hook_runs_after_the_gradient_is_there()
    {
        Tensor x = Leaf(1);
        double seen = 0;
        x.register_post_accumulate_grad_hook(leaf => seen = leaf.grad!.sum().item<double>());
        (x * 4).sum().backward();
        Assert.That(seen, Is.EqualTo(4));
    }

    private sealed class Cube : autograd.SingleTensorFunction<Cube>
    {
        public override string Name => "cube";

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var x = (Tensor)vars[0];
            ctx.save_for_backward(x);
            return x * x * x;
        }

        public override List<Tensor?> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            Tensor x = ctx.get_saved_variables()[0];
            return [grad_output * 3 * x * x];
        }
    }

    [Test]
    public void Custom_functions_have_the_gradient_that_they_say()
    {
        Tensor x = Leaf(2, -1);
        Cube.apply(x).sum().backward();
        Holds(x.grad, 12, 3);
        Assert.That(autograd.gradgradcheck(a => [Cube.apply(a[0])], [Leaf(0.3, 2)]), Is.True);
        Assert.That(Cube.apply(x).grad_fn, Is.EqualTo("cube"));
    }

    [Test]
    public void Anomaly_mode_names_the_line_that_made_the_NaN()
    {
        using IDisposable _ = autograd.detect_anomaly();
        Tensor x = Leaf(0.0);
        Tensor y = (x * 0).sqrt() * 0; // 0 * infinity in backward
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => y.sum().backward())!;
        Assert.That(e.Message, Does.Contain("sqrt").And.Contain("GraphTests.cs:"));
    }

    [Test]
    public void Gradcheck_finds_a_wrong_gradient()
    {
        Tensor x = Leaf(1, 2);
        Assert.That(autograd.gradcheck(a => [Wrong.apply(a[0])], [x], raise_exception: false), Is.False);
    }

    private sealed class Wrong : autograd.SingleTensorFunction<Wrong>
    {
        public override string Name => "wrong";

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars) => (Tensor)vars[0] * 2;

        public override List<Tensor?> backward(autograd.AutogradContext ctx, Tensor grad_output) => [grad_output * 3];
    }

    [Test]
    public void The_graph_is_drawn_as_dot_and_svg()
    {
        Tensor w = Leaf(1, 2);
        Tensor y = (w.exp() * w).sum();
        string dot = utils.graph.to_dot(y, [("w", w)]), svg = utils.graph.to_svg(y, [("w", w)]);
        Assert.That(dot, Does.StartWith("digraph").And.Contain("exp").And.Contain("w\\n[2]"));
        Assert.That(System.Xml.Linq.XDocument.Parse(svg).Root!.Name.LocalName, Is.EqualTo("svg"));
    }

    [Test]
    public void Errors_name_the_shapes()
    {
        Assert.That(Assert.Throws<ArgumentException>(() => Leaf(1, 2).backward())!.Message, Does.Contain("[2]"));
        Assert.That(Assert.Throws<InvalidOperationException>(() => ones([2]).sum().backward())!.Message, Does.StartWith("[backward]"));
        Assert.That(Assert.Throws<ArgumentException>(() => Leaf(1, 2).backward(ones([3], float64)))!.Message, Does.Contain("[3]").And.Contain("[2]"));
        Assert.Throws<ArgumentException>(() => ones([2], int64).requires_grad_());
    }

    [Test]
    public void Disposed_activations_do_not_disturb_backward()
    {
        Tensor x = Leaf(1, 2);
        Tensor y;
        using (Tensor h = x.exp()) y = (h * h).sum();
        y.backward();
        Holds(x.grad, 2 * Math.Exp(2), 2 * Math.Exp(4));
    }
}
