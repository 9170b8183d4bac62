using LogAgent.Tailing;

namespace LogAgent.Configuration;

/// <summary>
/// The records that an output takes (the key only of an output): a record has to match each list that is not empty. Globs, as
/// in docker.include.
/// </summary>
internal sealed record SubsetOptions
{
    public IReadOnlyList<string> Containers { get; init; } = [];

    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>name, or name=value.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Empty: all. <see cref="LogStream.None"/> stands for the records of plain files.</summary>
    public IReadOnlyList<LogStream> Streams { get; init; } = [];

    public bool TakesAll => Containers.Count + Images.Count + Labels.Count + Streams.Count == 0;

    public static SubsetOptions Read(SectionReader section) => new()
    {
        Containers = section.TextList("containers"),
        Images = section.TextList("images"),
        Labels = section.TextList("labels"),
        Streams = [.. section.TextList("streams").Select(name => Stream(section, name))],
    };

    private static LogStream Stream(SectionReader section, string name)
    {
        switch (name)
        {
            case "stdout":
                return LogStream.Stdout;
            case "stderr":
                return LogStream.Stderr;
            case "file":
                return LogStream.None;
            default:
                section.Error("streams", $"'{name}' is not allowed: the streams are stdout, stderr and file (records of plain files).");
                return LogStream.None;
        }
    }
}
