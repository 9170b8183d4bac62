using System.Buffers;
using System.Globalization;
using System.Text;
using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>
/// What a worker has skipped and not yet told its output, by target; and the gap records that tell it, one a target, with
/// that target's fields, so that they stand in the stream that has the gap. A gap record counts from the beginning of the
/// gap: where one arrives twice (its answer was lost), the larger number holds. Owned by the worker's loop.
/// </summary>
internal sealed class SkippedRecords(string output, TimeProvider time)
{
    /// <summary>Targets kept apart; what is skipped of more of them is counted together.</summary>
    private const int MostTargets = 1000;

    private static readonly TailTarget Others = new() { Id = "others", Path = "", Format = TailFormat.PlainText, Fields = FieldSet.Empty };
    private readonly Dictionary<string, Gap> _gaps = new(StringComparer.Ordinal);
    private readonly List<(Gap Gap, long Records)> _told = [];
    private readonly Lane _lane = new OutputLanes(null, time).Of(Others);

    /// <summary>True while the output has to be told of something.</summary>
    public bool Any => _gaps.Count > 0;

    /// <summary>Skipped since <see cref="Any"/> was last false.</summary>
    public Amount Total { get; private set; }

    public void Add(RecordGroup group)
    {
        if (_gaps.Count == 0)
        {
            Total = default;
        }

        foreach (RecordRun run in group.Runs)
        {
            TailTarget target = run.Batch.Target;
            if (!_gaps.TryGetValue(target.Id, out Gap? gap))
            {
                target = _gaps.Count < MostTargets ? target : Others;
                if (!_gaps.TryGetValue(target.Id, out gap))
                {
                    gap = new(target, run.Batch.Records[run.Start].TimeNanos);
                    _gaps.Add(target.Id, gap);
                }
            }

            foreach (ref readonly LogRecord record in run.Batch.Records.Slice(run.Start, run.Count))
            {
                Amount counted = SendJob.Counted(record);
                gap.Skipped += counted;
                Total += counted;
            }

            gap.Last = run.Batch.Records[run.Start + run.Count - 1];
        }
    }

    /// <summary>Gap records for at most so many targets. What <see cref="Told"/> is later called for are these.</summary>
    public SendJob GapJob(int mostTargets, long now)
    {
        _told.Clear();
        GroupBuilder builder = new();
        foreach (Gap gap in _gaps.Values.Take(mostTargets))
        {
            _told.Add((gap, gap.Skipped.Records));
            HeldBatch held = new(gap.ToBatch(output), _lane, new(1, 0), StreamSet.All, true, now);
            builder.Add(held, 0);
        }

        SendJob job = builder.Build(isGap: true);
        return job;
    }

    /// <summary>The output has the gap records that were built last.</summary>
    public void Told()
    {
        foreach ((Gap gap, long records) in _told)
        {
            if (gap.Skipped.Records == records)
            {
                _gaps.Remove(gap.Target.Id);
            }
        }

        _told.Clear();
    }

    private sealed class Gap(TailTarget target, long firstNanos)
    {
        public TailTarget Target => target;

        public Amount Skipped { get; set; }

        public LogRecord Last { get; set; }

        public LogBatch ToBatch(string output)
        {
            string text = string.Create(CultureInfo.InvariantCulture,
                $"LogAgent: {Skipped.Records} records ({Skipped.Bytes} bytes) from {Time(firstNanos)} to {Time(Last.TimeNanos)} are missing here: output {output} was down for longer than skip_after, and they were skipped.");
            byte[] buffer = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
            LogRecord[] records = ArrayPool<LogRecord>.Shared.Rent(1);
            records[0] = new()
            {
                MessageLength = Encoding.UTF8.GetBytes(text, buffer),
                Flags = RecordFlags.Gap,
                TimeNanos = Last.TimeNanos,
                Offset = Last.Offset,
                Sequence = Last.Sequence,
            };

            // The same gap with the same count has the same id, whatever the attempt.
            string identity = string.Create(CultureInfo.InvariantCulture, $"skipped\n{output}\n{target.Id}\n{firstNanos}\n{Skipped.Records}");
            byte[] prefix = RecordId.Prefix(Hash(identity));
            return new(target, prefix, buffer, records, 1, 0, 0, static (_, _) => { });
        }

        private static string Time(long nanos) =>
            DateTimeOffset.UnixEpoch.AddTicks(nanos / 100).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

        private static ulong Hash(string text) => BitConverter.ToUInt64(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
