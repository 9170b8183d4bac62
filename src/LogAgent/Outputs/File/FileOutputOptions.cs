using LogAgent.Configuration;

namespace LogAgent.Outputs;

/// <summary>An output of type file: <c>path</c>, <c>max_bytes</c>, <c>max_age</c>, <c>keep</c>.</summary>
internal sealed record FileOutputOptions
{
    /// <summary>The file that is written; rotated ones get the time of their rotation before the extension.</summary>
    public string Path { get; init; } = "";

    /// <summary>The file is rotated before it would become larger.</summary>
    public long MaxBytes { get; init; } = 100 << 20;

    /// <summary>The file is rotated when it is older.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How many rotated files are kept; 0: all. Nothing is ever deleted unless this says so.</summary>
    public int Keep { get; init; }

    public static FileOutputOptions Read(SectionReader section)
    {
        FileOutputOptions options = new()
        {
            Path = section.RequiredText("path"),
            MaxBytes = section.Size("max_bytes", 100 << 20, 64 << 10, 1L << 40),
            MaxAge = section.Duration("max_age", TimeSpan.FromDays(1), TimeSpan.FromMinutes(1), TimeSpan.FromDays(3650)),
            Keep = section.Number("keep", 0, 0, 1_000_000),
        };
        if (options.Path.Length > 0 && !System.IO.Path.IsPathFullyQualified(options.Path))
        {
            section.Error("path", $"'{options.Path}' is no absolute path; write it from the root, as /var/log/logagent/records.ndjson.");
        }

        return options;
    }
}
