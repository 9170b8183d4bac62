namespace LogAgent.Configuration;

/// <summary>
/// Reads one section (a YAML mapping) key by key, typed; every key that is asked for is known from then on, and a key of the
/// file that nobody asked for is an error. Errors are collected with file, line and key, never thrown, and the default is
/// returned in their place. Values have ${ENV}, ${ENV:-default} and ${file:/path} replaced.
/// </summary>
internal sealed class SectionReader
{
    /// <summary>Where the section stands in the file, as outputs[0].tls; empty for the root.</summary>
    public string Path => throw new NotImplementedException();

    /// <summary>True where the file has the key with a value.</summary>
    public bool Has(string key) => throw new NotImplementedException();

    public string Text(string key, string defaultValue) => throw new NotImplementedException();

    /// <summary>A text that must be there and must not be empty.</summary>
    public string RequiredText(string key) => throw new NotImplementedException();

    /// <summary>A text that is never shown in an error, a log line or a dump.</summary>
    public string Secret(string key) => throw new NotImplementedException();

    public bool Flag(string key, bool defaultValue) => throw new NotImplementedException();

    public int Number(string key, int defaultValue, int min, int max) => throw new NotImplementedException();

    /// <summary>Bytes: 512, 64KiB, 5MB, 1GiB.</summary>
    public long Size(string key, long defaultValue, long min, long max) => throw new NotImplementedException();

    /// <summary>500ms, 30s, 5m, 1h, 7d.</summary>
    public TimeSpan Duration(string key, TimeSpan defaultValue, TimeSpan min, TimeSpan max) => throw new NotImplementedException();

    /// <summary>One of an enum's names in snake_case.</summary>
    public T OneOf<T>(string key, T defaultValue)
        where T : struct, Enum => throw new NotImplementedException();

    public IReadOnlyList<string> TextList(string key, params string[] defaultValue) => throw new NotImplementedException();

    public IReadOnlyDictionary<string, string> TextMap(string key) => throw new NotImplementedException();

    /// <summary>A section; one that is absent reads as empty, so that its defaults apply.</summary>
    public SectionReader Section(string key) => throw new NotImplementedException();

    /// <summary>A list of sections; empty where the key is absent.</summary>
    public IReadOnlyList<SectionReader> Sections(string key) => throw new NotImplementedException();

    /// <summary>Adds an error about the key's value: say what is wrong and what is allowed.</summary>
    public void Error(string key, string problem) => throw new NotImplementedException();
}
