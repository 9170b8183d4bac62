using LogAgent.Tailing;

namespace LogAgent.Configuration;

/// <summary>One item of the section files: log files of the host that no container claims.</summary>
internal sealed record FilesOptions
{
    /// <summary>
    /// Globs of absolute paths: *, ?, [abc], ** for any number of directories, {a,b} for either, {name} for a part of a path
    /// that becomes the field of that name ({service} becomes service.name).
    /// </summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>Globs of paths, or of file names where they hold no slash, that are left out.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>Static fields of these files' records.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = new Dictionary<string, string>();

    public TextEncoding Encoding { get; init; } = TextEncoding.Utf8;

    public StartAt StartAt { get; init; } = StartAt.Beginning;

    public static FilesOptions Read(SectionReader section)
    {
        FilesOptions options = new()
        {
            Paths = section.TextList("paths"),
            Exclude = section.TextList("exclude"),
            Fields = StaticFields.Read(section, "fields"),
            Encoding = section.OneOf("encoding", TextEncoding.Utf8),
            StartAt = section.OneOf("start_at", StartAt.Beginning),
        };
        CheckPaths(section, options.Paths);
        return options;
    }

    internal static void CheckPaths(SectionReader section, IReadOnlyList<string> paths)
    {
        if (paths.Count == 0)
        {
            section.Error("paths", "at least one path is needed, such as /logs/**/*.log");
        }

        foreach (string path in paths)
        {
            if (path.Length == 0 || path[0] != '/')
            {
                section.Error("paths", $"'{path}' is not absolute: a path begins with a slash");
            }
        }
    }
}
