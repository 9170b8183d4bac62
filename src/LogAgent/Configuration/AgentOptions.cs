using LogAgent.Outputs;

namespace LogAgent.Configuration;

/// <summary>The whole configuration.</summary>
internal sealed record AgentOptions
{
    public const string DefaultStateDirectory = "/var/lib/logagent";

    /// <summary>The cluster id on every record; empty: none.</summary>
    public string Cluster { get; init; } = "";

    /// <summary>The host name on every record; empty: the host's own.</summary>
    public string Host { get; init; } = "";

    /// <summary>Static fields of every record.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = new Dictionary<string, string>();

    public Schema Schema { get; init; } = Schema.Ecs;

    public DockerOptions Docker { get; init; } = new();

    public IReadOnlyList<FilesOptions> Files { get; init; } = [];

    /// <summary>Absolute path of the directory of checkpoints and dead letters.</summary>
    public string StateDirectory { get; init; } = DefaultStateDirectory;

    public LimitsOptions Limits { get; init; } = new();

    public DeadLetterOptions DeadLetters { get; init; } = new();

    public MetricsOptions Metrics { get; init; } = new();

    public LogOptions Log { get; init; } = new();

    /// <summary>How long a stop waits for what was read to be delivered.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>At least one where the configuration is good.</summary>
    public IReadOnlyList<OutputSection> Outputs { get; init; } = [];

    /// <summary>Equal where nothing has changed but what can be taken over without a restart.</summary>
    public string RestartDigest { get; init; } = "";

    /// <summary>Reads the whole file; errors are the file's.</summary>
    /// <param name="readOutput">Reads the keys of an output that belong to its type, and gives back its options.</param>
    public static AgentOptions Read(SectionReader root, Func<OutputType, SectionReader, object> readOutput)
    {
        SectionReader state = root.Section("state");
        Schema schema = root.OneOf("schema", Schema.Ecs);
        AgentOptions options = new()
        {
            Cluster = root.Text("cluster", ""),
            Host = root.Text("host", ""),
            Fields = StaticFields.Read(root, "fields"),
            Schema = schema,
            Docker = DockerOptions.Read(root.Section("docker")),
            Files = [.. root.Sections("files").Select(FilesOptions.Read)],
            StateDirectory = state.Text("directory", DefaultStateDirectory),
            Limits = LimitsOptions.Read(root.Section("limits")),
            DeadLetters = DeadLetterOptions.Read(root.Section("dead_letters")),
            Metrics = MetricsOptions.Read(root.Section("metrics")),
            Log = LogOptions.Read(root.Section("log")),
            Drain = root.Duration("drain", TimeSpan.FromSeconds(20), TimeSpan.Zero, TimeSpan.FromHours(1)),
            Outputs = ReadOutputs(root, schema, readOutput),
            RestartDigest = string.Join(' ',
                root.Digest("outputs", "log", "files", "fields", "cluster", "host", "drain", "docker"),
                root.Section("docker").Digest("include", "exclude", "labels", "files", "start_at"),
                root.Section("log").Text("format", "auto")),
        };
        if (!Path.IsPathRooted(options.StateDirectory))
        {
            state.Error("directory", $"'{options.StateDirectory}' is not allowed: this must be an absolute path, such as {DefaultStateDirectory}.");
        }

        return options;
    }

    private static List<OutputSection> ReadOutputs(SectionReader root, Schema schema, Func<OutputType, SectionReader, object> readOutput)
    {
        List<OutputSection> outputs = [];
        Dictionary<string, string> names = new(StringComparer.Ordinal);
        IReadOnlyList<SectionReader> sections = root.Sections("outputs");
        foreach (SectionReader section in sections)
        {
            if (OutputSection.Read(section, readOutput) is { } output)
            {
                if (!names.TryAdd(output.Name, section.Path))
                {
                    section.Error(section.Has("name") ? "name" : "type", $"{names[output.Name]} has the name '{output.Name}', too. Give this one another name: the name keeps their counters and dead letters apart.");
                }

                if (schema == Schema.Flat && output.Type == OutputType.Elasticsearch && section.Text("data_stream", "").Length > 0)
                {
                    section.Error("data_stream", "A data stream needs the field @timestamp, which schema: flat does not have. Allowed are schema: ecs, or index in place of data_stream.");
                }

                outputs.Add(output);
            }
        }

        if (sections.Count == 0 && root.Has("outputs"))
        {
            root.Error("outputs", "At least one output is needed. Leave the key out for the console.");
        }

        return outputs;
    }
}
