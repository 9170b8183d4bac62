namespace LogAgent.Configuration;

/// <summary>One item of docker.files: log files inside the containers that match; without names, images and labels, inside all.</summary>
internal sealed record ContainerFilesRule
{
    public ContainerMatch Match { get; init; } = new();

    /// <summary>Globs of absolute paths as the container sees them.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>Globs of paths, or of file names where they hold no slash, that are left out.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    public static ContainerFilesRule Read(SectionReader section)
    {
        ContainerFilesRule rule = new()
        {
            Match = ContainerMatch.Read(section),
            Paths = section.TextList("paths"),
            Exclude = section.TextList("exclude"),
        };
        FilesOptions.CheckPaths(section, rule.Paths);
        return rule;
    }
}
