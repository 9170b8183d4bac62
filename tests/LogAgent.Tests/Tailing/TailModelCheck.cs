using LogAgent.Tailing;
using LogAgent.Tailing.Checkpoints;

namespace LogAgent.Tests.Tailing;

/// <summary>
/// What must hold after each step of the model: what was handed out was written, in order, under ids of its own; each counted loss
/// stands as a gap; the checkpoint file does not pass a batch that is not acknowledged (I1).
/// </summary>
/// <param name="written">All that the model has written.</param>
/// <param name="mayBeLost">What may have been gone before anybody could read it.</param>
internal sealed class TailModelCheck(TailRig rig, IReadOnlySet<string> written, IReadOnlySet<string> mayBeLost)
{
    private readonly Dictionary<string, Seen> _ids = [];
    private readonly Dictionary<LogBatch, List<string>> _texts = [];
    private readonly string[] _lastOfStream = ["", "", ""];
    private int _seen;
    private int _openSeen;
    private int _noticesSeen;
    private int _losses;
    private int _gaps;

    /// <summary>The texts of a batch that is being acknowledged.</summary>
    public IEnumerable<string> TextsOf(LogBatch batch) => _texts[batch];

    /// <summary>Batches were taken from those that are open.</summary>
    public void Acknowledged() => _openSeen = rig.Open.Count;

    /// <summary>What was handed out may come again.</summary>
    public void Crashed()
    {
        _texts.Clear();
        _openSeen = 0;
        Array.Fill(_lastOfStream, "");
    }

    /// <summary>Looks at what came since the last time: content, order, ids.</summary>
    public void Check()
    {
        for (; _seen < rig.Records.Count; _seen++)
        {
            Seen record = rig.Records[_seen];
            bool isCut = record.RawTime.Length > 0 && (record.Flags & (RecordFlags.Gap | RecordFlags.Truncated)) != 0;
            _gaps += isCut || (record.Flags & RecordFlags.Gap) != 0 ? 1 : 0;

            // Of a record in pieces that was handed out before, less may be left when it is read again: its end, in the next file.
            bool isRest = record.RawTime.Length > 0 && _ids.TryGetValue(record.Id, out Seen? whole) && whole.Text.EndsWith(record.Text, StringComparison.Ordinal);
            Assert.True(_ids.TryAdd(record.Id, record) || _ids[record.Id].Text == record.Text || isCut || isRest, $"One id for {_ids[record.Id]} and {record}.");
            if ((record.Flags & RecordFlags.Gap) != 0)
            {
                continue;
            }

            if (!written.Contains(record.Text))
            {
                Assert.True(mayBeLost.Count > 0 && record.Text.Contains('p', StringComparison.Ordinal), $"Never written: '{record.Text}' {record.Flags} at {record.Offset}");
                continue;
            }

            int stream = (int)record.Stream;
            string number = record.Text[..7];
            Assert.True(string.CompareOrdinal(_lastOfStream[stream], number) < 0, $"{number} came after {_lastOfStream[stream]}.");
            _lastOfStream[stream] = number;
        }

        for (; _openSeen < rig.Open.Count; _openSeen++)
        {
            LogBatch batch = rig.Open[_openSeen];
            List<string> texts = [];
            foreach (LogRecord record in batch.Records)
            {
                texts.Add(System.Text.Encoding.UTF8.GetString(batch.Message(record)));
            }

            _texts[batch] = texts;
        }

        for (; _noticesSeen < rig.Notices.Count; _noticesSeen++)
        {
            _losses += rig.Notices[_noticesSeen].Kind == TailNoticeKind.Lost ? 1 : 0;
        }

        Assert.True(_losses == _gaps, $"{_losses} losses were counted, {_gaps} gaps handed out.");
        CheckCheckpoints();
    }

    private void CheckCheckpoints()
    {
        string path = Path.Combine(rig.State, "checkpoints");
        if (!File.Exists(path))
        {
            return;
        }

        List<TargetCheckpoint>? targets = CheckpointFormat.TryDecode(File.ReadAllBytes(path), path, out string error);
        Assert.True(targets is not null, error);
        Dictionary<ulong, FileCheckpoint> files = targets.SelectMany(t => t.Files).Where(f => f.Key != 0).ToDictionary(f => f.Key);
        foreach (LogBatch batch in rig.Open)
        {
            long start = batch.EndOffset - batch.InputBytes;
            TailedFile file = ((BatchTag)batch.Tag!).File;
            Assert.True(!files.TryGetValue(file.Key, out FileCheckpoint? kept) || kept.Offset <= start, $"The checkpoint of {file.Path} stands at {kept?.Offset}, from {start} on it is not acknowledged.");
        }
    }
}
