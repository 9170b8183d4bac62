using System.Globalization;
using System.IO.Compression;
using System.Text;
using LogAgent.Tailing;
using LogAgent.Tailing.Checkpoints;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Tailing;

/// <summary>A record as a test looks at it: taken out of its batch while that is alive.</summary>
internal sealed record Seen(string Text, LogStream Stream, RecordFlags Flags, long Offset, long Sequence, long TimeNanos, string Id, string RawTime);

/// <summary>A tail loop over a temporary directory with hand-driven passes, a test clock, and acknowledgement by hand.</summary>
internal sealed class TailRig : IDisposable
{
    private readonly List<LogBatch> _open = [];

    public TailRig(TailOptions? options = null, long memory = 64 << 20)
    {
        Root = Directory.CreateTempSubdirectory("logagent-tail-").FullName;
        Logs = Directory.CreateDirectory(Path.Combine(Root, "logs")).FullName;
        State = Path.Combine(Root, "state");
        Options = options ?? new TailOptions { CheckpointInterval = TimeSpan.Zero };
        Memory = memory;
        Start();
    }

    public string Root { get; }

    public string Logs { get; }

    public string State { get; }

    public TailOptions Options { get; set; }

    public long Memory { get; }

    public TestClock Clock { get; } = new();

    public MemoryBudget Budget { get; private set; } = null!;

    public TailLoop Loop { get; private set; } = null!;

    public List<Seen> Records { get; } = [];

    public List<TailNotice> Notices { get; } = [];

    public List<LogBatch> Open => _open;

    /// <summary>Acknowledge each batch as it comes.</summary>
    public bool AcknowledgeAtOnce { get; set; } = true;

    /// <summary>Whether those that take a target's batches have room for more.</summary>
    public Func<TailTarget, bool> HasRoom { get; set; } = _ => true;

    public IEnumerable<string> Texts => Records.Select(r => r.Text);

    public string LogPath(string name = "app.log") => Path.Combine(Logs, name);

    public static string Json(string text, string stream = "stdout", string time = "2026-11-20T20:35:46.685148284Z") =>
        $"{{\"log\":\"{text}\",\"stream\":\"{stream}\",\"time\":\"{time}\"}}\n";

    public TailTarget Target(TailFormat format = TailFormat.DockerJson, string name = "app.log", string id = "t1") => new()
    {
        Id = id,
        Path = LogPath(name),
        Format = format,
        Fields = FieldSet.Empty,
    };

    public void Append(string text, string name = "app.log") => File.AppendAllText(LogPath(name), text);

    public void Write(byte[] bytes, string name = "app.log") => File.WriteAllBytes(LogPath(name), bytes);

    public void AppendLines(int from, int count, string name = "app.log")
    {
        StringBuilder text = new();
        for (int i = from; i < from + count; i++)
        {
            text.Append(Json($"line {i.ToString(CultureInfo.InvariantCulture)}\\n", time: $"2026-11-20T20:35:46.{i:D9}Z"));
        }

        Append(text.ToString(), name);
    }

    public static IEnumerable<string> Lines(int from, int count) => Enumerable.Range(from, count).Select(i => $"line {i}");

    /// <summary>Passes until nothing more is there to be read.</summary>
    public void Poll()
    {
        for (int i = 0; i < 10_000; i++)
        {
            PollResult result = Loop.PollOnce();
            if (!result.More || result.OutOfMemory)
            {
                return;
            }
        }

        throw new InvalidOperationException("The loop says without end that there is more.");
    }

    public void AcknowledgeAll()
    {
        foreach (LogBatch batch in _open.ToArray())
        {
            batch.Acknowledge();
        }

        _open.Clear();
    }

    /// <summary>As after kill -9: what was not written to the checkpoint is gone, batches in flight are never completed.</summary>
    public void Crash()
    {
        Loop.Dispose();
        _open.Clear();
        Start();
    }

    /// <summary>What stands in the checkpoint file.</summary>
    public IReadOnlyList<TargetCheckpoint> Saved()
    {
        string path = Path.Combine(State, "checkpoints");
        return CheckpointFormat.TryDecode(File.ReadAllBytes(path), path, out string error) ?? throw new InvalidDataException(error);
    }

    public void Rename(string from, string to) => File.Move(LogPath(from), LogPath(to));

    /// <summary>As gzip does: what stands at the path stands compressed beside it, and then there alone.</summary>
    /// <param name="to">Default: the path with .gz behind it.</param>
    public static void Compress(string path, string? to = null)
    {
        using (FileStream plain = File.OpenRead(path))
        using (GZipStream gzip = new(File.Create(to ?? path + ".gz"), CompressionLevel.Fastest))
        {
            plain.CopyTo(gzip);
        }

        File.Delete(path);
    }

    public void Dispose()
    {
        Loop.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    private void Start()
    {
        Budget = new MemoryBudget(Memory);
        Loop = new TailLoop(Options, new CheckpointStore(State), Budget, Clock, Take, Notices.Add, target => HasRoom(target));
    }

    private void Take(LogBatch batch)
    {
        Span<byte> id = stackalloc byte[RecordId.MaxLength];
        foreach (ref readonly LogRecord record in batch.Records)
        {
            int length = RecordId.Write(id, batch, record);
            Records.Add(new Seen(
                Encoding.UTF8.GetString(batch.Message(record)), record.Stream, record.Flags, record.Offset, record.Sequence,
                record.TimeNanos, Encoding.ASCII.GetString(id[..length]), Encoding.UTF8.GetString(batch.RawTime(record))));
        }

        if (AcknowledgeAtOnce)
        {
            batch.Acknowledge();
        }
        else
        {
            _open.Add(batch);
        }
    }
}
