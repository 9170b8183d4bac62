using System.Text.RegularExpressions;

namespace LogAgent.Containers;

/// <summary>One name of a glob's path: a literal one, one with wildcards, or any number of directories.</summary>
/// <param name="Literal">The name itself where <paramref name="Pattern"/> is null.</param>
internal sealed record PathGlobPart(string Literal, Regex? Pattern)
{
    public static PathGlobPart AnyDepth { get; } = new("**", null);

    public bool IsAnyDepth => ReferenceEquals(this, AnyDepth);

    public bool IsLiteral => Pattern is null && !IsAnyDepth;

    /// <summary>Whether it names a leading dot itself.</summary>
    public bool TakesHidden { get; init; }

    public bool Matches(string name) => Pattern is null ? name == Literal : Pattern.IsMatch(name);
}
