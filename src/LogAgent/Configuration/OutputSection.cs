namespace LogAgent.Configuration;

internal enum OutputType
{
    Console,
    File,
    Elasticsearch,
    Kafka,
    Syslog,
}

/// <summary>What the others do while an output is down.</summary>
internal enum WhenDown
{
    /// <summary>All wait: nothing is lost.</summary>
    Block,

    /// <summary>After a time the output is left out; what it misses is counted.</summary>
    SkipAfter,
}

/// <summary>One item of outputs: the part that every output has, and the options of its own type.</summary>
internal sealed record OutputSection
{
    public required OutputType Type { get; init; }

    /// <summary>Unlike that of every other output; the type where none is given.</summary>
    public required string Name { get; init; }

    /// <summary>How long the output may be down before the others go on without it; null: they wait for ever.</summary>
    public TimeSpan? SkipAfter { get; init; }

    public SubsetOptions Only { get; init; } = new();

    /// <summary>What the output's own Options.Read gave.</summary>
    public required object Options { get; init; }

    /// <summary>Equal where nothing of the output's section has changed.</summary>
    public string Digest { get; init; } = "";

    /// <param name="readOptions">Reads the keys that belong to the type.</param>
    /// <returns>Null where the type is missing or unknown; the error is reported.</returns>
    public static OutputSection? Read(SectionReader section, Func<OutputType, SectionReader, object> readOptions)
    {
        string given = section.RequiredText("type");
        OutputType[] types = Enum.GetValues<OutputType>();
        int type = Array.FindIndex(types, candidate => SnakeCase.Of(candidate) == given);
        if (type < 0)
        {
            section.IgnoreUnknownKeys();
            if (given.Length > 0)
            {
                string? near = SnakeCase.Nearest(given, types.Select(SnakeCase.Of));
                section.Error("type", $"'{given}' is not allowed: this must be one of: {string.Join(", ", types.Select(SnakeCase.Of))}.{(near is null ? "" : $" Did you mean '{near}'?")}");
            }

            return null;
        }

        WhenDown whenDown = section.OneOf("when_down", WhenDown.Block);
        if (!section.Has("when_down") && section.Has("skip_after"))
        {
            whenDown = WhenDown.SkipAfter;
        }

        TimeSpan skipAfter = section.Duration("skip_after", TimeSpan.FromMinutes(30), TimeSpan.FromSeconds(1), TimeSpan.FromDays(365));
        return new OutputSection
        {
            Type = types[type],
            Name = section.Text("name", given),
            SkipAfter = whenDown == WhenDown.SkipAfter ? skipAfter : null,
            Only = SubsetOptions.Read(section.Section("only")),
            Options = readOptions(types[type], section),
            Digest = section.Digest(),
        };
    }
}
