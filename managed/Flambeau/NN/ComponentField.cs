using System.Collections;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Flambeau.Modules;
using Flambeau.Utils;
using static Flambeau.torch;

namespace Flambeau
{
    /// <summary>A field of a user's module class that may hold components. Found once per type; values are read at each use.</summary>
    internal sealed class ComponentField
    {
        internal const DynamicallyAccessedMemberTypes Needed = DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.NonPublicFields
            | DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.NonPublicProperties;

        private const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        private static readonly ConcurrentDictionary<Type, ComponentField[]> Known = new();

        private readonly FieldInfo info;

        private ComponentField(FieldInfo info, string name, bool collection)
        {
            this.info = info;
            Name = name;
            IsCollection = collection;
        }

        /// <summary>The name of the field or auto-property, or what [ComponentName] says.</summary>
        internal string Name { get; }

        internal bool IsCollection { get; }

        internal string Where => $"{info.DeclaringType?.Name}.{info.Name}";

        internal object? Value(nn.Module module) => info.GetValue(module);

        /// <summary>The fields of the classes between nn.Module and the type, base classes first, each in order of declaration.</summary>
        internal static ComponentField[] Of([DynamicallyAccessedMembers(Needed)] Type type) => Known.TryGetValue(type, out ComponentField[]? known) ? known : Known[type] = Find(type);

        [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "The attribute on nn.Module keeps the fields of every class derived from it, so of each base of this one too.")]
        private static ComponentField[] Find([DynamicallyAccessedMembers(Needed)] Type type)
        {
            var levels = new Stack<ComponentField[]>();
            // This library's own layers register by hand.
            for (Type? t = type; t != null && t.Assembly != typeof(nn.Module).Assembly; t = t.BaseType)
            {
                PropertyInfo[] properties = t.GetProperties(Own);
                levels.Push([.. t.GetFields(Own).OrderBy(f => f.MetadataToken).Select(f => Describe(f, properties)).OfType<ComponentField>()]);
            }
            return [.. levels.SelectMany(level => level)];
        }

        private static ComponentField? Describe(FieldInfo field, PropertyInfo[] properties)
        {
            bool collection = HoldsCollection(field.FieldType);
            if (!collection && !HoldsComponent(field.FieldType)) return null;
            string name = field.Name;
            MemberInfo member = field;
            int end = name.IndexOf('>');
            if (name.StartsWith('<') && end > 1)
            {
                name = name[1..end]; // <Name>k__BackingField of an auto-property, <name>P of a primary constructor
                member = Array.Find(properties, p => p.Name == name) ?? member;
            }
            ComponentNameAttribute? given = field.GetCustomAttribute<ComponentNameAttribute>() ?? member.GetCustomAttribute<ComponentNameAttribute>();
            return new ComponentField(field, given?.Name ?? name, collection);
        }

        private static bool HoldsComponent(Type type) =>
            typeof(nn.Module).IsAssignableFrom(type) || typeof(Tensor).IsAssignableFrom(type)
            || (type.IsInterface && type.IsGenericType && type.DeclaringType == typeof(nn) && type.Name.StartsWith("IModule", StringComparison.Ordinal));

        private static bool HoldsCollection(Type type)
        {
            if (HoldsComponent(type)) return false;
            Type? element = type.IsArray ? type.GetElementType() : type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type) ? type.GetGenericArguments()[^1] : null;
            return element != null && HoldsComponent(element) && (typeof(nn.Module).IsAssignableFrom(element) || element.IsInterface || typeof(Parameter).IsAssignableFrom(element));
        }
    }
}

namespace Flambeau.Utils
{
    /// <summary>The name under which a field or property of a module is registered, in place of its own.</summary>
    [AttributeUsage(AttributeTargets.Field | AttributeTargets.Property)]
    public sealed class ComponentNameAttribute : Attribute
    {
        public ComponentNameAttribute() { }

        public ComponentNameAttribute(string name) => Name = name;

        public string? Name { get; set; }
    }
}
