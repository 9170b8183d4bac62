namespace LogAgent.Tailing;

/// <summary>What a reader of a record has to know beyond its bytes. All but <see cref="Escaped"/> are shown in the document.</summary>
[Flags]
public enum RecordFlags : ushort
{
    None = 0,

    /// <summary>The message bytes are the inside of a valid JSON string, still escaped: an encoder of JSON copies them as they are.</summary>
    Escaped = 1,

    /// <summary>The message was cut at the record limit; what was cut is counted as lost.</summary>
    Truncated = 2,

    /// <summary>The line is not in the format of its file; the message is the line as it stands.</summary>
    Corrupt = 4,

    /// <summary>A gap record: the agent's own words for what was lost at this place. It is never counted as read.</summary>
    Gap = 8,

    /// <summary>The message bytes are not valid UTF-8 (or may not be): an encoder replaces what is invalid.</summary>
    Binary = 16,
}
