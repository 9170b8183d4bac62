namespace LogAgent.Configuration;

/// <summary>The section <c>dead_letters</c>.</summary>
internal sealed record DeadLetterOptions
{
    /// <summary>Bytes that all dead letters together may take; beyond it the oldest file is dropped.</summary>
    public long MaxBytes { get; init; } = 256 << 20;

    public static DeadLetterOptions Read(SectionReader section) => new()
    {
        MaxBytes = section.Size("max_bytes", 256 << 20, 1 << 20, 1L << 40),
    };
}
