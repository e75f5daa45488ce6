using System.Globalization;

namespace Flambeau;

public static partial class torch
{
    public partial class Tensor
    {
        /// <summary>The tensor as PyTorch prints it.</summary>
        public override string ToString() => IsInvalid ? "a disposed tensor" : (this is Modules.Parameter ? "Parameter containing:" + printing.NewLine : "") + PythonText.Of(this);

        public string ToString(bool disamb, string? fltFormat = null, int? width = null, CultureInfo? cultureInfo = null, string? newLine = null) =>
            disamb ? ToString(TensorStringStyle.Default, fltFormat, width, cultureInfo, newLine) : ToString();

        /// <summary>The tensor in a style; Default is that of torch.TensorStringStyle.</summary>
        public string ToString(TensorStringStyle style, string? fltFormat = null, int? width = null, CultureInfo? cultureInfo = null, string? newLine = null)
        {
            Live("ToString");
            string format = fltFormat ?? printing.FloatFormat, line = newLine ?? Environment.NewLine;
            int room = width ?? printing.StyleWidth;
            CultureInfo culture = cultureInfo ?? CultureInfo.CurrentCulture;
            if (style == TensorStringStyle.Default) style = torch.TensorStringStyle;
            return style switch
            {
                TensorStringStyle.Metadata => StyledText.Metadata(this),
                TensorStringStyle.Julia => StyledText.Julia(this, format, room, culture, line),
                TensorStringStyle.Numpy => StyledText.Numpy(this, format, room, culture, line),
                TensorStringStyle.CSharp => StyledText.CSharp(this, format, room, culture, line),
                _ => PythonText.Of(this),
            };
        }
    }
}

public static partial class TensorExtensionMethods
{
    /// <summary>The tensor as text, in the style of torch.TensorStringStyle unless one is named.</summary>
    public static string str(this torch.Tensor tensor, string? fltFormat = null, int? width = null, string? newLine = null, CultureInfo? cultureInfo = null, TensorStringStyle style = TensorStringStyle.Default) =>
        tensor.ToString(style, fltFormat, width, cultureInfo, newLine);

    /// <summary>Rows in aligned columns.</summary>
    public static string jlstr(this torch.Tensor tensor, string? fltFormat = null, int? width = null, string? newLine = null, CultureInfo? cultureInfo = null) =>
        tensor.ToString(TensorStringStyle.Julia, fltFormat, width, cultureInfo, newLine);

    /// <summary>Rows in brackets.</summary>
    public static string npstr(this torch.Tensor tensor, string? fltFormat = "g5", int? width = 100, string? newLine = null, CultureInfo? cultureInfo = null) =>
        tensor.ToString(TensorStringStyle.Numpy, fltFormat, width, cultureInfo, newLine);

    /// <summary>Rows in braces.</summary>
    public static string cstr(this torch.Tensor tensor, string? fltFormat = "g5", int? width = 100, string? newLine = null, CultureInfo? cultureInfo = null) =>
        tensor.ToString(TensorStringStyle.CSharp, fltFormat, width, cultureInfo, newLine);

    /// <summary>Shape, dtype and device.</summary>
    public static string metastr(this torch.Tensor tensor) => tensor.ToString(TensorStringStyle.Metadata);

    /// <summary>Writes the tensor to the console, and returns it.</summary>
    public static torch.Tensor print(this torch.Tensor t, string? fltFormat = "g5", int? width = 100, string? newLine = null, CultureInfo? cultureInfo = null, TensorStringStyle style = TensorStringStyle.Default)
    {
        Console.WriteLine(t.ToString(style, fltFormat, width, cultureInfo, newLine));
        return t;
    }
}
