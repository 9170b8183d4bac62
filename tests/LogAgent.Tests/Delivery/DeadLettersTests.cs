using System.Text;
using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Tailing;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Delivery;

public sealed class DeadLettersTests : IDisposable
{
    private static readonly DocumentEncoder Documents = new(Schema.Ecs);
    private readonly WorkerRig _rig = new(new FaultyOutput().Then(group => new SendResult { Rejected = [.. Enumerable.Range(0, group.Count).Select(i => new RejectedRecord(i, "mapping", "No \"number\"."))] }));

    private string DeadDirectory => Path.Combine(_rig.Directory, "dead-letters");

    private DeadLetterFiles Files => new(DeadDirectory);

    private static TailTarget Target => new()
    {
        Id = "container:abc",
        Path = "/host/abc.log",
        ShownPath = "/var/log/\"app\".log",
        Format = TailFormat.PlainText,
        Fields = new([new("container.name", "web")], "\"container\":{\"name\":\"web\"}"u8.ToArray()),
    };

    public void Dispose() => _rig.Dispose();

    private static string Document(LogBatch batch, int index = 0)
    {
        using ByteBuffer buffer = new(1024);
        Documents.Write(buffer, batch, batch.Records[index]);
        return Encoding.UTF8.GetString(buffer.Written);
    }

    private static string Id(LogBatch batch, int index = 0)
    {
        Span<byte> id = stackalloc byte[RecordId.MaxLength];
        return Encoding.ASCII.GetString(id[..RecordId.Write(id, batch, batch.Records[index])]);
    }

    private static BatchBuilder Records() => new BatchBuilder { Target = Target }
        .Add("plain \"quoted\" \t é")
        .Add("""escaped \"quoted\" \u0041 \ud83d\ude00""", RecordFlags.Escaped | RecordFlags.Truncated, "2026-11-20T20:35:46.6851Z", LogStream.Stderr, 1_763_670_946_685_100_000, 12345678901, 77)
        .Add([0x61, 0xFF, 0x00, 0x62], RecordFlags.Binary, stream: LogStream.None)
        .Add([0x61, 0xFF, 0x5C, 0x6E], RecordFlags.Binary | RecordFlags.Escaped);

    [Fact]
    public void A_rejected_record_counts_as_done_once_its_letter_is_on_disk()
    {
        BatchBuilder batch = Records();
        _rig.Fanout.Emit(batch.Build());
        _rig.Step();
        Assert.True(batch.Completed);
        Assert.Equal(4, _rig.Counts.Rejected["mapping"].Records);
        DeadLetter[] letters = [.. Files.ReadAll()];
        Assert.Equal(4, letters.Length);
        Assert.All(letters, letter => Assert.Equal(("faulty", "mapping", "No \"number\".", "container:abc"), (letter.Output, letter.Reason, letter.Detail, letter.Target)));
        Assert.Equal(_rig.Clock.GetUtcNow(), letters[0].Time);
        Assert.Contains(_rig.Log, line => line.StartsWith("Output faulty rejected 4 records for good"));
    }

    [Fact]
    public void A_letter_gives_back_the_same_document_with_the_same_id()
    {
        LogBatch batch = Records().Build();
        for (int i = 0; i < batch.Count; i++)
        {
            using ByteBuffer line = new(1024);
            DeadLetter.Write(line, "o", new(0, "r", "d"), batch, batch.Records[i], Documents, default);
            DeadLetter letter = DeadLetter.TryParse(line.Written[..^1].ToArray())!;
            LogBatch again = letter.ToBatch((_, _) => { });
            Assert.Equal(Document(batch, i), Document(again));
            Assert.Equal(Document(batch, i), letter.Document);
            Assert.Equal(Id(batch, i), Id(again));
            Assert.Equal(Id(batch, i), letter.Id);
            Assert.Equal(batch.Records[i].Sequence, again.Records[0].Sequence);
            Assert.Equal("web", again.Fields["container.name"]);
        }
    }

    [Fact]
    public void Where_letters_cannot_be_written_the_records_are_kept()
    {
        File.WriteAllText(DeadDirectory, "not a directory");
        BatchBuilder batch = _rig.Emit("a", "b");
        _rig.Step();
        Assert.Null(batch.Completed);
        Assert.Equal(2, _rig.Counts.InFlight.Records);
        Assert.Contains("cannot be written", _rig.Counts.State.LastError);
        _rig.Output.Then(_ => new SendResult { Rejected = [new(1, "bad", "")] });
        File.Delete(DeadDirectory);
        _rig.StepAfter(TimeSpan.FromSeconds(1));
        Assert.True(batch.Completed);
        Assert.Single(Files.ReadAll());
    }

    [Fact]
    public void The_oldest_file_is_dropped_and_counted_when_there_is_no_room()
    {
        DeadLetters letters = new(DeadDirectory, new() { MaxBytes = 1 << 20 }, Documents, _rig.Ledger, _rig.Clock, _rig);
        long written = 0;
        for (int i = 0; i < 40; i++)
        {
            RecordGroup group = new BatchBuilder().Add($"{i} {new string('x', 20_000)}").BuildGroup();
            Assert.True(letters.TryAdd("o", group, [new(0, "r", "d")], out _));
            _rig.Clock.Advance(TimeSpan.FromSeconds(1));
            written++;
        }

        Assert.True(Files.Paths.Sum(path => new FileInfo(path).Length) <= 1 << 20);
        DeadLetter[] left = [.. Files.ReadAll()];
        Assert.Equal(written, left.Length + _rig.Ledger.Snapshot().DeadLettersDropped);
        Assert.InRange(left.Length, 15, 30);
        Assert.Contains("\"39 x", left[^1].Document);
        Assert.Contains(_rig.Log, line => line.Contains("exceed dead_letters.max_bytes"));
    }

    [Fact]
    public void A_torn_last_line_is_no_letter()
    {
        _rig.Emit("a");
        _rig.Step();
        File.AppendAllText(Files.Paths[0], """{"time":"2026-""");
        Assert.Equal(2, DeadLetterFiles.Read(Files.Paths[0]).Count());
        Assert.Single(Files.ReadAll());
    }

    [Fact]
    public async Task A_replay_delivers_what_is_wanted_and_keeps_the_rest()
    {
        _rig.Fanout.Emit(Records().Build());
        _rig.Step();
        Task running = _rig.Worker.RunAsync();
        _rig.Output.Sends.Clear();
        DeadLetterReplayResult result = await new DeadLetterReplay(Files)
            .RunAsync(name => name == "faulty" ? _rig.Worker : null, letter => !letter.Document.Contains("plain"), CancellationToken.None);
        Assert.Equal(new(3, 1, 0), result);
        Assert.Equal(3, _rig.Output.Sends.Sum(send => send.Length));
        Assert.Contains("plain", Assert.Single(Files.ReadAll()).Document);
        result = await new DeadLetterReplay(Files).RunAsync(_ => null, _ => true, CancellationToken.None);
        Assert.Equal(new(0, 1, 0), result);
        result = await new DeadLetterReplay(Files).RunAsync(_ => _rig.Worker, _ => true, CancellationToken.None);
        Assert.Equal(new(1, 0, 0), result);
        Assert.Empty(Files.Paths);
        await _rig.Worker.StopAsync(CancellationToken.None);
        await running;
        _rig.AssertBalanced();
    }

    [Fact]
    public async Task A_letter_that_is_rejected_again_is_a_letter_again()
    {
        _rig.Emit("a");
        _rig.Step();
        _rig.Output.Then(_ => new SendResult { Rejected = [new(0, "again", "")] });
        Task running = _rig.Worker.RunAsync();
        Assert.Equal(new(1, 0, 0), await new DeadLetterReplay(Files).RunAsync(_ => _rig.Worker, _ => true, CancellationToken.None));
        Assert.Equal("again", Assert.Single(Files.ReadAll()).Reason);
        await _rig.Worker.StopAsync(CancellationToken.None);
        await running;
    }

    [Fact]
    public async Task Letters_that_are_not_delivered_in_time_stay()
    {
        _rig.Emit("a", "b");
        _rig.Step();
        _rig.Output.Always((_, _) => Task.FromException<SendResult>(new SendException(SendTrouble.Unreachable, "No route.")));
        Task running = _rig.Worker.RunAsync();
        Task<DeadLetterReplayResult> replay = new DeadLetterReplay(Files).RunAsync(_ => _rig.Worker, _ => true, CancellationToken.None);
        await _rig.Worker.StopAsync(new CancellationToken(true));
        Assert.Equal(new(0, 2, 0), await replay);
        await running;
        Assert.Equal(2, Files.ReadAll().Count());
    }

    [Fact]
    public void The_agent_begins_a_new_file_when_a_replay_has_taken_the_old_one()
    {
        _rig.Emit("a");
        _rig.Step();
        string taken = Files.Take(Files.Paths[0]);
        _rig.Output.Then(_ => new SendResult { Rejected = [new(0, "r", "")] });
        _rig.Emit("b");
        _rig.Step();
        Assert.Equal(2, Files.Paths.Count);
        Files.Keep(taken, []);
        Assert.Contains("\"b\"", Assert.Single(Files.ReadAll()).Document);
    }
}
