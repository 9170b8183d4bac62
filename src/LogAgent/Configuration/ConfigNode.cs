using System.Text;

namespace LogAgent.Configuration;

internal enum ConfigNodeKind
{
    /// <summary>Nothing, ~ or null: the same as an absent key.</summary>
    Null,
    Text,
    List,
    Map,
}

/// <summary>A member of a mapping.</summary>
internal readonly record struct ConfigMember(string Key, int Line, ConfigNode Value);

/// <summary>A value of the configuration with the place it came from; placeholders are already replaced.</summary>
internal sealed class ConfigNode
{
    public required ConfigNodeKind Kind { get; init; }

    /// <summary>Line in the file, from 1; 0 for a value from the environment.</summary>
    public int Line { get; init; }

    /// <summary>The environment variable that gave the value; null for one from the file.</summary>
    public string? Origin { get; init; }

    /// <summary>The text with its placeholders replaced. It may hold a secret: show <see cref="Shown"/>.</summary>
    public string Text { get; init; } = "";

    /// <summary>The text as it stands in the file, its placeholders not replaced, for errors.</summary>
    public string Shown { get; init; } = "";

    public IReadOnlyList<ConfigNode> Items { get; init; } = [];

    public IReadOnlyList<ConfigMember> Members { get; init; } = [];

    /// <summary>What it is, in the words of an error.</summary>
    public string KindName => Kind switch
    {
        ConfigNodeKind.Null => "empty",
        ConfigNodeKind.Text => "a single value",
        ConfigNodeKind.List => "a list",
        _ => "a section (key: value lines)",
    };

    /// <summary>The value of the key; null where it is absent or null.</summary>
    public ConfigNode? Find(string key)
    {
        foreach (ConfigMember member in Members)
        {
            if (member.Key == key)
            {
                return member.Value.Kind == ConfigNodeKind.Null ? null : member.Value;
            }
        }

        return null;
    }

    /// <summary>What is configured, written so that two trees give the same text only where they mean the same; it may hold secrets. The order of keys does not matter.</summary>
    /// <param name="except">Keys of this mapping that are left out.</param>
    public void Describe(StringBuilder description, params IReadOnlyList<string> except)
    {
        switch (Kind)
        {
            case ConfigNodeKind.Text:
                description.Append(Text.Length).Append(':').Append(Text);
                break;
            case ConfigNodeKind.List:
                description.Append('[');
                foreach (ConfigNode item in Items)
                {
                    item.Describe(description);
                    description.Append(',');
                }

                description.Append(']');
                break;
            case ConfigNodeKind.Map:
                description.Append('{');
                foreach (ConfigMember member in Members.Where(member => member.Value.Kind != ConfigNodeKind.Null && !except.Contains(member.Key)).OrderBy(member => member.Key, StringComparer.Ordinal))
                {
                    description.Append(member.Key).Append('=');
                    member.Value.Describe(description);
                    description.Append(',');
                }

                description.Append('}');
                break;
        }
    }
}
