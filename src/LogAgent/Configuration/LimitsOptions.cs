namespace LogAgent.Configuration;

/// <summary>The section limits of the configuration.</summary>
internal sealed record LimitsOptions
{
    /// <summary>Bytes that records in flight may hold.</summary>
    public long Memory { get; init; } = 64 << 20;

    /// <summary>Longest record in bytes; a longer one is cut and flagged.</summary>
    public int Record { get; init; } = 1 << 20;

    /// <summary>Most log files held open.</summary>
    public int OpenFiles { get; init; } = 1024;

    public static LimitsOptions Read(SectionReader section) => new()
    {
        Memory = section.Size("memory", 64 << 20, 1 << 20, 64L << 30),
        Record = (int)section.Size("record", 1 << 20, 1 << 10, 64 << 20),
        OpenFiles = section.Number("open_files", 1024, 16, 1_000_000),
    };
}
