namespace LogAgent.Configuration;

/// <summary>A configuration that was loaded: what it says, and what is wrong with it.</summary>
/// <param name="Source">The file, or a word for having none.</param>
/// <param name="Errors">Empty where it is good; <paramref name="Options"/> may be used only then.</param>
/// <param name="Uses">Every key that was asked for.</param>
internal sealed record AgentConfiguration(string Source, AgentOptions Options, IReadOnlyList<ConfigurationError> Errors, IReadOnlyList<KeyUse> Uses)
{
    public const string DefaultPath = "/etc/logagent/logagent.yaml";

    /// <summary>Loads from the path given, else LOGAGENT_CONFIG, else <see cref="DefaultPath"/> if it is there, else defaults and environment only.</summary>
    /// <param name="readOutput">Reads the keys of an output that belong to its type.</param>
    /// <param name="consoleFormat">Format of the console output; null leaves it as configured.</param>
    public static AgentConfiguration Load(
        string? path,
        IReadOnlyDictionary<string, string> environment,
        Func<OutputType, SectionReader, object> readOutput,
        string? consoleFormat = null)
    {
        path = !string.IsNullOrEmpty(path) ? path
            : environment.GetValueOrDefault("LOGAGENT_CONFIG") is { Length: > 0 } named ? named
            : File.Exists(DefaultPath) ? DefaultPath
            : null;
        ConfigurationOverlay overlay = new(environment, consoleFormat);
        ConfigurationFile file = path is null
            ? ConfigurationFile.Parse("", name => environment.GetValueOrDefault(name), "no configuration file", overlay)
            : ConfigurationFile.Load(path, name => environment.GetValueOrDefault(name), overlay);
        AgentOptions options = AgentOptions.Read(file.Root, readOutput);
        return new AgentConfiguration(file.Source, options, file.Errors, file.Uses);
    }
}
