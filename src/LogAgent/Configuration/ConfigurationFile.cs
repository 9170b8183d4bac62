namespace LogAgent.Configuration;

/// <summary>
/// A configuration being read: its root section, and every error found so far. Read everything first, then ask for
/// <see cref="Errors"/>: a key that nobody asked for counts as unknown.
/// </summary>
internal sealed class ConfigurationFile
{
    private readonly List<ConfigurationError> _errors = [];
    private readonly List<SectionReader> _sections = [];
    private readonly List<KeyUse> _uses = [];
    private readonly bool _readable = true;

    private ConfigurationFile(string source, TextReader text, Func<string, string?> environment, ConfigurationOverlay? overlay)
    {
        Source = source;
        Placeholders placeholders = new(environment);
        ConfigNode? root = new YamlTree(source, placeholders, _errors).Read(text);
        _readable = root is not null;
        if (root is not null && overlay is not null)
        {
            root = overlay.Apply(root, placeholders, _errors.Add);
        }

        Root = new SectionReader(this, "", root, 1);
    }

    private ConfigurationFile(string source, Func<string, string?> environment, string problem)
        : this(source, TextReader.Null, environment, null)
    {
        _errors.Add(new ConfigurationError(source, 0, "", problem));
        _readable = false;
    }

    /// <summary>The file's path, or another name for where the text came from.</summary>
    public string Source { get; }

    public SectionReader Root { get; }

    /// <summary>Every key that was asked for so far, in that order.</summary>
    public IReadOnlyList<KeyUse> Uses => _uses;

    /// <summary>
    /// All errors, in the order of the file; empty means that it is good. Where the file could not be read at all, that is
    /// the only one.
    /// </summary>
    public IReadOnlyList<ConfigurationError> Errors => _readable
        ? [.. _errors.Concat(_sections.ToArray().SelectMany(section => section.UnknownKeys())).Distinct().OrderBy(error => error.Line)]
        : _errors;

    /// <summary>Reads the file. Trouble is in <see cref="Errors"/>, never thrown.</summary>
    /// <param name="overlay">Values from elsewhere that are laid over those of the file.</param>
    public static ConfigurationFile Load(string path, Func<string, string?> environment, ConfigurationOverlay? overlay = null)
    {
        try
        {
            using StreamReader text = new(path);
            return new ConfigurationFile(path, text, environment, overlay);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return new ConfigurationFile(path, environment, e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "There is no such file. Name it with --config or LOGAGENT_CONFIG.",
                UnauthorizedAccessException => "This user may not read the file.",
                _ => $"The file cannot be read: {e.Message}",
            });
        }
    }

    /// <summary>Reads the text itself.</summary>
    /// <param name="environment">Environment variables; none where it is null.</param>
    /// <param name="overlay">Values from elsewhere that are laid over those of the text.</param>
    public static ConfigurationFile Parse(string text, Func<string, string?>? environment = null, string source = "logagent.yaml", ConfigurationOverlay? overlay = null)
    {
        using StringReader reader = new(text);
        return new ConfigurationFile(source, reader, environment ?? (_ => null), overlay);
    }

    internal void Add(SectionReader section) => _sections.Add(section);

    internal void Add(KeyUse use) => _uses.Add(use);

    internal void Add(ConfigurationError error)
    {
        if (_readable)
        {
            _errors.Add(error);
        }
    }
}
