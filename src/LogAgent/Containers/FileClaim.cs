using LogAgent.Tailing;

namespace LogAgent.Containers;

/// <summary>Who wants which log files, and what their records carry. Immutable; given again under the same id when it changes.</summary>
internal sealed record FileClaim
{
    /// <summary>The container's id, or the name of a rule.</summary>
    public required string Id { get; init; }

    /// <summary>For the reader of a log line: the container's name, or the rule's.</summary>
    public string Name { get => field.Length > 0 ? field : Id; init; } = "";

    /// <summary>Of several claims of a file the least wins: a container's creation; the latest for those that are no container's.</summary>
    public required DateTimeOffset Order { get; init; }

    /// <summary>Paths as the claimer sees them.</summary>
    public required IReadOnlyList<PathGlob> Paths { get; init; }

    public IReadOnlyList<PathGlob> Exclude { get; init; } = [];

    /// <summary>From paths as the claimer sees them to those of the host.</summary>
    public required MountTable Mounts { get; init; }

    /// <summary>Fields of the file's records, by what its path says.</summary>
    public required Func<IReadOnlyDictionary<string, string>, FieldSet> Fields { get; init; }

    /// <summary>For the files that are there when the claim is first looked at; later ones are read from their beginning.</summary>
    public StartAt Start { get; init; } = StartAt.Beginning;

    public TextEncoding Encoding { get; init; } = TextEncoding.Utf8;
}
