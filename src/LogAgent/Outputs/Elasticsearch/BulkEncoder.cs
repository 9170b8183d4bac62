using System.Runtime.CompilerServices;
using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>
/// Writes a group as the body of a bulk request. Thread-safe, no allocation a record.
/// <code>
/// {"create":{"_id":"ID"}}                     with _index before it where the group has records of several indices
/// {"@timestamp": ...}                         the document
/// </code>
/// Source: the bulk API of Elasticsearch 8 and 9 and OpenSearch 2; each line ends with \n.
/// </summary>
/// <param name="positionIds">Write an _id from each record's position; else the server makes one, and a record that is sent twice is stored twice.</param>
internal sealed class BulkEncoder(DocumentEncoder documents, IndexName index, bool positionIds)
{
    /// <summary>The one index of all of the group's records, or null where they belong to several.</summary>
    public IndexOfDay? OneIndex(RecordGroup group)
    {
        if (index.IsFixed)
        {
            return index.Of(default);
        }

        long first = long.MaxValue;
        long last = long.MinValue;
        foreach (RecordRun run in group.Runs)
        {
            Widen(run.Batch.Records.Slice(run.Start, run.Count), ref first, ref last);
        }

        UtcDay day = UtcDay.Of(first);
        IndexOfDay ofFirst = index.Of(day);
        return UtcDay.Of(last) == day || index.Of(UtcDay.Of(last)) == ofFirst ? ofFirst : null;
    }

    /// <summary>Writes the records of one run, up to <paramref name="until"/> bytes in the buffer or to the end of the run.</summary>
    /// <param name="from">Index in the run of the first record to write.</param>
    /// <param name="indexOnItems">True where the URL names no index.</param>
    /// <returns>Index in the run of the first record not written.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // hot from the first record on: no time to be found hot
    public int Write(ByteBuffer body, in RecordRun run, int from, int messageLimit, bool indexOnItems, int until)
    {
        LogBatch batch = run.Batch;
        ReadOnlySpan<LogRecord> records = batch.Records.Slice(run.Start, run.Count);
        while (from < records.Length && body.Length < until)
        {
            ref readonly LogRecord record = ref records[from++];
            WriteAction(body, batch, record, indexOnItems);
            documents.Write(body, batch, record, messageLimit);
            body.Write("\n"u8);
        }

        return from;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(ReadOnlySpan<LogRecord> records, ref long first, ref long last)
    {
        long least = first;
        long most = last;
        foreach (ref readonly LogRecord record in records)
        {
            least = Math.Min(least, record.TimeNanos);
            most = Math.Max(most, record.TimeNanos);
        }

        first = least;
        last = most;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void WriteAction(ByteBuffer body, LogBatch batch, in LogRecord record, bool indexOnItems)
    {
        if (indexOnItems)
        {
            body.Write("{\"create\":{\"_index\":\""u8);
            body.Write(index.Of(UtcDay.Of(record.TimeNanos)).Utf8);
            body.Write(positionIds ? "\",\"_id\":\""u8 : "\"}}\n"u8);
        }
        else
        {
            body.Write(positionIds ? "{\"create\":{\"_id\":\""u8 : "{\"create\":{}}\n"u8);
        }

        if (positionIds)
        {
            Span<byte> span = body.GetSpan(RecordId.MaxLength + 4);
            int length = RecordId.Write(span, batch, record);
            "\"}}\n"u8.CopyTo(span[length..]);
            body.Advance(length + 4);
        }
    }
}
