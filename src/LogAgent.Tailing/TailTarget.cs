namespace LogAgent.Tailing;

/// <summary>How the bytes of a target's file are to be read.</summary>
public enum TailFormat
{
    /// <summary>Docker's json-file driver: one JSON object a line.</summary>
    DockerJson,

    /// <summary>Any text: a record a line.</summary>
    PlainText,

    /// <summary>Docker's local driver: length-prefixed protobuf frames.</summary>
    DockerLocal,
}

/// <summary>Where reading begins in a file that no checkpoint knows.</summary>
public enum StartAt
{
    Beginning,
    End,
}

/// <summary>The character encoding of a plain text file; what is not UTF-8 is converted as it is read.</summary>
public enum TextEncoding
{
    Utf8,
    Latin1,
    Utf16,
}

/// <summary>
/// Something to tail: one live path with its rotated generations. Immutable; given to the tail loop again under the same
/// <see cref="Id"/> when its fields change.
/// </summary>
public sealed record TailTarget
{
    /// <summary>Stable over restarts, the key of its checkpoints: "container:(id)" or "file:(owner):(path)".</summary>
    public required string Id { get; init; }

    /// <summary>Absolute path of the live file as this process can open it. It need not exist yet.</summary>
    public required string Path { get; init; }

    public required TailFormat Format { get; init; }

    public required FieldSet Fields { get; init; }

    /// <summary>log.file.path of the records: the path as the application sees it; null for a container's own json-file log.</summary>
    public string? ShownPath { get; init; }

    public StartAt Start { get; init; } = StartAt.Beginning;

    public TextEncoding Encoding { get; init; } = TextEncoding.Utf8;
}
