using LogAgent.Tailing;

namespace LogAgent.Outputs;

/// <summary>The names of a document's fields.</summary>
internal enum Schema
{
    /// <summary>Elastic Common Schema, nested objects.</summary>
    Ecs,

    /// <summary>The flat names of the fluentd and docker-gen set-ups: time, log, stream, container_id ...</summary>
    Flat,
}

/// <summary>
/// Writes a record as one JSON document in UTF-8, without a line ending: the bytes of an escaped message are copied as they
/// stand (the splice), those of a plain one are escaped on the way. Stateless, thread-safe, no allocation a record.
/// <code>
/// ecs:  {"@timestamp":"T","message":"M","stream":"stdout",FIELDS,"log":{"file":{"path":"P"},"offset":N,"flags":["truncated"]},"event":{"sequence":N}}
/// flat: {"time":"T","log":"M","stream":"stdout",FIELDS,"log_path":"P","log_offset":N,"log_flags":["truncated"],"sequence":N}
/// </code>
/// stream, path and flags are left out where there are none. log.offset is the record's offset in its file.
/// </summary>
internal sealed class DocumentEncoder(Schema schema)
{
    public Schema Schema => schema;

    /// <param name="messageLimit">Longest message in bytes; a longer one is cut at a character's (and an escape's) boundary and flagged as truncated.</param>
    public void Write(ByteBuffer buffer, LogBatch batch, in LogRecord record, int messageLimit = int.MaxValue) =>
        throw new NotImplementedException();
}
