using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LogAgent.Configuration;

/// <summary>
/// Reads one section (a YAML mapping) key by key, typed; every key that is asked for is known from then on, and a key of the
/// file that nobody asked for is an error. Errors are collected with file, line and key, never thrown, and the default is
/// returned in their place. Values have ${ENV}, ${ENV:-default} and ${file:/path} replaced.
/// </summary>
internal sealed class SectionReader
{
    private readonly ConfigurationFile _file;
    private readonly ConfigNode? _node;
    private readonly int _line;
    private readonly List<string> _known = [];
    private readonly Dictionary<string, IReadOnlyList<SectionReader>> _children = [];
    private bool _anyKey;

    /// <param name="node">Null for a section that the file does not have; one that is no mapping is an error here.</param>
    /// <param name="line">Line for errors where the node has none.</param>
    internal SectionReader(ConfigurationFile file, string path, ConfigNode? node, int line)
    {
        _file = file;
        Path = path;
        _line = node?.Line is > 0 and int own ? own : line;
        _node = node is { Kind: ConfigNodeKind.Map } ? node : null;
        if (node is not null && node.Kind is not (ConfigNodeKind.Map or ConfigNodeKind.Null))
        {
            file.Add(new ConfigurationError(node.Origin ?? file.Source, node.Line, path, $"This must be a section (key: value lines), but is {node.KindName}."));
        }

        file.Add(this);
    }

    /// <summary>Where the section stands in the file, as outputs[0].tls; empty for the root.</summary>
    public string Path { get; }

    /// <summary>The keys that the file has here, known or not.</summary>
    public IEnumerable<string> Keys => _node?.Members.Select(member => member.Key) ?? [];

    /// <summary>True where the file has the key with a value.</summary>
    public bool Has(string key) => _node?.Find(key) is not null;

    public string Text(string key, string defaultValue)
    {
        string text = Scalar(key)?.Text ?? defaultValue;
        Use(key, defaultValue, text == defaultValue);
        return text;
    }

    /// <summary>A text that must be there and must not be empty.</summary>
    public string RequiredText(string key)
    {
        Use(key, null, true);
        string text = Scalar(key)?.Text ?? "";
        if (text.Length == 0 && (!Has(key) || _node!.Find(key)!.Kind == ConfigNodeKind.Text))
        {
            Error(key, "A value is needed here: there is no default.");
        }

        return text;
    }

    /// <summary>A text that is never shown in an error, a log line or a dump; empty where it is absent.</summary>
    public string Secret(string key)
    {
        Use(key, null, true);
        return Scalar(key)?.Text ?? "";
    }

    public bool Flag(string key, bool defaultValue) =>
        Value(key, defaultValue, value => value ? "true" : "false", "true or false", (string text, out bool value) =>
        {
            value = text is "true" or "yes" or "on";
            return value || text is "false" or "no" or "off";
        });

    public int Number(string key, int defaultValue, int min, int max) =>
        Within(key, Value(key, defaultValue, value => value.ToString(CultureInfo.InvariantCulture), "a whole number",
            (string text, out int value) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)), defaultValue, min, max, value => value.ToString(CultureInfo.InvariantCulture));

    /// <summary>Bytes: 512, 64KiB, 5MB, 1GiB.</summary>
    public long Size(string key, long defaultValue, long min, long max) =>
        Within(key, Value(key, defaultValue, Quantity.Text, Quantity.SizeForm, (string text, out long value) => Quantity.TrySize(text, out value)), defaultValue, min, max, Quantity.Text);

    /// <summary>500ms, 30s, 5m, 1h, 7d.</summary>
    public TimeSpan Duration(string key, TimeSpan defaultValue, TimeSpan min, TimeSpan max) =>
        Within(key, Value(key, defaultValue, Quantity.Text, Quantity.DurationForm, (string text, out TimeSpan value) => Quantity.TryDuration(text, out value)), defaultValue, min, max, Quantity.Text);

    /// <summary>One of an enum's names in snake_case.</summary>
    public T OneOf<T>(string key, T defaultValue)
        where T : struct, Enum =>
        Value(key, defaultValue, SnakeCase.Of, "one of: " + string.Join(", ", Enum.GetValues<T>().Select(SnakeCase.Of)), (string text, out T value) =>
        {
            foreach (T candidate in Enum.GetValues<T>())
            {
                if (SnakeCase.Of(candidate).Equals(text, StringComparison.OrdinalIgnoreCase))
                {
                    value = candidate;
                    return true;
                }
            }

            value = default;
            return false;
        });

    /// <summary>A list of texts. One text alone is split at its commas (not at those inside {} or []), so that an environment variable can give a list.</summary>
    public IReadOnlyList<string> TextList(string key, params string[] defaultValue)
    {
        IReadOnlyList<string> list = defaultValue;
        if (_node?.Find(key) is { } node)
        {
            if (node.Kind == ConfigNodeKind.Text)
            {
                list = SplitAtCommas(node.Text);
            }
            else if (node.Kind != ConfigNodeKind.List)
            {
                Error(key, $"This must be a list such as [a, b], but is {node.KindName}.");
            }
            else if (node.Items.FirstOrDefault(item => item.Kind != ConfigNodeKind.Text) is { } wrong)
            {
                Error(key, $"Each item of the list must be a single value, but one is {wrong.KindName}.");
            }
            else
            {
                list = [.. node.Items.Select(item => item.Text)];
            }
        }

        Use(key, $"[{string.Join(", ", defaultValue)}]", list.SequenceEqual(defaultValue));
        return list;
    }

    public IReadOnlyDictionary<string, string> TextMap(string key)
    {
        Dictionary<string, string> map = new(StringComparer.Ordinal);
        if (_node?.Find(key) is { } node)
        {
            if (node.Kind != ConfigNodeKind.Map)
            {
                Error(key, $"This must be a section (key: value lines), but is {node.KindName}.");
            }

            foreach (ConfigMember member in node.Members)
            {
                if (member.Value.Kind is ConfigNodeKind.List or ConfigNodeKind.Map)
                {
                    Error(key, $"The value of '{member.Key}' must be a single value, but is {member.Value.KindName}.");
                }
                else
                {
                    map[member.Key] = member.Value.Text;
                }
            }
        }

        Use(key, "{}", map.Count == 0);
        return map;
    }

    /// <summary>A section; one that is absent reads as empty, so that its defaults apply.</summary>
    public SectionReader Section(string key)
    {
        Use(key, null, true);
        if (!_children.TryGetValue(key, out IReadOnlyList<SectionReader>? known))
        {
            known = [new SectionReader(_file, At(key), _node?.Find(key), _line)];
            _children[key] = known;
        }

        return known[0];
    }

    /// <summary>A list of sections; empty where the key is absent.</summary>
    public IReadOnlyList<SectionReader> Sections(string key)
    {
        Use(key, null, true);
        if (!_children.TryGetValue(key, out IReadOnlyList<SectionReader>? known))
        {
            known = [];
            ConfigNode? node = _node?.Find(key);
            if (node is { Kind: ConfigNodeKind.List })
            {
                known = [.. node.Items.Select((item, i) => new SectionReader(_file, $"{At(key)}[{i}]", item, node.Line))];
            }
            else if (node is not null)
            {
                Error(key, $"This must be a list of sections, each beginning with '- ', but is {node.KindName}.");
            }

            _children[key] = known;
        }

        return known;
    }

    /// <summary>Adds an error about the key's value: say what is wrong and what is allowed.</summary>
    public void Error(string key, string problem)
    {
        ConfigNode? node = _node?.Find(key);
        int line = _node?.Members.FirstOrDefault(member => member.Key == key).Line is > 0 and int own ? own : _line;
        string? origin = node is null ? _node?.Origin : node.Origin;
        _file.Add(new ConfigurationError(origin ?? _file.Source, origin is null ? line : 0, At(key), problem));
    }

    /// <summary>A digest of everything that the section says, secrets included: equal where nothing has changed. SHA-256 in hexadecimal.</summary>
    /// <param name="except">Keys that do not count.</param>
    public string Digest(params IReadOnlyList<string> except)
    {
        StringBuilder description = new();
        _node?.Describe(description, except);
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(description.ToString())));
    }

    /// <summary>No key of this section counts as unknown: it is not clear which ones there are.</summary>
    public void IgnoreUnknownKeys() => _anyKey = true;

    /// <summary>An error for each key of the file that was not asked for.</summary>
    internal IEnumerable<ConfigurationError> UnknownKeys()
    {
        foreach (ConfigMember member in _node?.Members ?? [])
        {
            if (!_anyKey && !_known.Contains(member.Key))
            {
                string? near = SnakeCase.Nearest(member.Key, _known);
                yield return new ConfigurationError(member.Value.Origin ?? _file.Source, member.Line, At(member.Key),
                    near is not null ? $"There is no such key. Did you mean '{near}'?"
                    : _known.Count == 0 ? "There is no such key."
                    : $"There is no such key. Allowed here: {string.Join(", ", _known.Order(StringComparer.Ordinal))}.");
            }
        }
    }

    private delegate bool Parse<T>(string text, out T value);

    private T Value<T>(string key, T defaultValue, Func<T, string> write, string form, Parse<T> parse)
    {
        T result = defaultValue;
        ConfigNode? scalar = Scalar(key);
        if (scalar is not null && !parse(scalar.Text.Trim(), out result))
        {
            Error(key, $"'{scalar.Shown}' is not allowed: this must be {form}.");
            result = defaultValue;
        }

        Use(key, write(defaultValue), EqualityComparer<T>.Default.Equals(result, defaultValue));
        return result;
    }

    private T Within<T>(string key, T value, T defaultValue, T min, T max, Func<T, string> write)
        where T : IComparable<T>
    {
        if (Has(key) && (value.CompareTo(min) < 0 || value.CompareTo(max) > 0))
        {
            Error(key, $"'{_node!.Find(key)!.Shown}' is not allowed: this must be from {write(min)} to {write(max)}.");
            return defaultValue;
        }

        return value;
    }

    private ConfigNode? Scalar(string key)
    {
        ConfigNode? node = _node?.Find(key);
        if (node is null || node.Kind == ConfigNodeKind.Text)
        {
            return node;
        }

        Error(key, $"This must be a single value, but is {node.KindName}.");
        return null;
    }

    private static List<string> SplitAtCommas(string text)
    {
        List<string> parts = [];
        int depth = 0;
        int start = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            char c = i < text.Length ? text[i] : ',';
            depth += c is '{' or '[' ? 1 : c is '}' or ']' ? -1 : 0;
            if (i == text.Length || (c == ',' && depth <= 0))
            {
                string part = text[start..i].Trim();
                if (part.Length > 0)
                {
                    parts.Add(part);
                }

                start = i + 1;
            }
        }

        return parts;
    }

    private void Use(string key, string? defaultValue, bool isDefault)
    {
        if (!_known.Contains(key))
        {
            _known.Add(key);
            _file.Add(new KeyUse(Path, key, defaultValue, Keys.Contains(key), isDefault));
        }
    }

    private string At(string key) => Path.Length > 0 ? $"{Path}.{key}" : key;
}
