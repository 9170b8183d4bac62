namespace LogAgent.Configuration;

/// <summary>The least severe of the agent's own log lines that are written.</summary>
internal enum LogDetail
{
    Trace,
    Debug,
    Information,
    Warning,
    Error,
}

/// <summary>How the agent's own log lines look.</summary>
internal enum LogFormat
{
    /// <summary>Text; with colours on a terminal, without the time under systemd, which adds it.</summary>
    Auto,
    Text,

    /// <summary>One JSON object a line.</summary>
    Json,
}

/// <summary>The section log of the configuration: the agent's own log, on standard error.</summary>
internal sealed record LogOptions
{
    public LogDetail Level { get; init; } = LogDetail.Information;

    public LogFormat Format { get; init; } = LogFormat.Auto;

    public static LogOptions Read(SectionReader section) => new()
    {
        Level = section.OneOf("level", LogDetail.Information),
        Format = section.OneOf("format", LogFormat.Auto),
    };
}
