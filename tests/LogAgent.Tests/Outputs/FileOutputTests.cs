using System.Text.Json;
using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Outputs;

public sealed class FileOutputTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("logagent-file").FullName;
    private readonly TestClock _clock = new();

    private string FilePath => Path.Combine(_directory, "logs", "records.ndjson");

    public void Dispose() => Directory.Delete(_directory, true);

    private FileOutput Output(long maxBytes = 1 << 20, int keep = 0) =>
        new("file", new() { Path = FilePath, MaxBytes = maxBytes, MaxAge = TimeSpan.FromHours(1), Keep = keep }, new(Schema.Ecs), _clock);

    private static async Task Send(FileOutput output, params string[] messages)
    {
        BatchBuilder builder = new();
        Array.ForEach(messages, message => builder.Add(message));
        Assert.Same(SendResult.Delivered, await output.SendAsync(builder.BuildGroup(), CancellationToken.None));
    }

    private static string[] Messages(string path) =>
        [.. File.ReadAllLines(path).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("message").GetString()!)];

    private string[] Rotated() => [.. Directory.GetFiles(Path.GetDirectoryName(FilePath)!, "records-*").Order()];

    [Fact]
    public async Task Each_record_is_a_document_on_a_line()
    {
        await using FileOutput output = Output();
        await Send(output, "a", "b");
        await Send(output, "c");
        Assert.Equal(["a", "b", "c"], Messages(FilePath));
    }

    [Fact]
    public async Task Half_a_line_that_a_crash_left_is_cut_off()
    {
        await using (FileOutput output = Output())
        {
            await Send(output, "a");
        }

        File.AppendAllText(FilePath, "{\"message\":\"ha");
        await using FileOutput again = Output();
        await Send(again, "b");
        Assert.Equal(["a", "b"], Messages(FilePath));
    }

    [Fact]
    public async Task A_file_that_is_half_a_line_and_nothing_else_is_emptied()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        File.WriteAllText(FilePath, new string('x', 200_000));
        await using FileOutput output = Output();
        await Send(output, "a");
        Assert.Equal(["a"], Messages(FilePath));
    }

    [Fact]
    public async Task The_file_is_rotated_before_it_becomes_too_large_and_nothing_is_deleted()
    {
        await using FileOutput output = Output(maxBytes: 1000);
        string[] all = [.. Enumerable.Range(0, 20).Select(i => $"{i:D3} {new string('x', 200)}")];
        foreach (string message in all)
        {
            await Send(output, message);
        }

        Assert.All(Rotated(), path => Assert.True(new FileInfo(path).Length <= 1000));
        Assert.Equal(all, Rotated().Append(FilePath).SelectMany(Messages).Order());
    }

    [Fact]
    public async Task The_file_is_rotated_by_age_and_only_so_many_are_kept()
    {
        await using FileOutput output = Output(keep: 2);
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!).FullName, "records-of-mine.ndjson"), "");
        for (int i = 0; i < 5; i++)
        {
            await Send(output, $"{i}");
            _clock.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(["4"], Messages(FilePath));
        Assert.Equal(3, Rotated().Length);
        Assert.Equal(["2", "3"], Rotated().SelectMany(path => path.EndsWith("mine.ndjson") ? [] : Messages(path)));
    }

    [Fact]
    public async Task A_file_that_was_moved_away_is_begun_anew()
    {
        await using FileOutput output = Output();
        await Send(output, "a");
        File.Move(FilePath, FilePath + ".1");
        await Send(output, "b");
        Assert.Equal(["a"], Messages(FilePath + ".1"));
        Assert.Equal(["b"], Messages(FilePath));
    }

    [Fact]
    public async Task What_cannot_be_written_is_kept_and_the_reason_said()
    {
        File.WriteAllText(Path.Combine(_directory, "logs"), "a file where the directory should be");
        await using FileOutput output = Output();
        SendException refused = await Assert.ThrowsAsync<SendException>(() => Send(output, "a"));
        Assert.Equal(SendTrouble.Refused, refused.Trouble);
        Assert.Contains(FilePath, refused.Message);
        Assert.False(Assert.Single(await output.CheckAsync(CancellationToken.None)).Ok);
        File.Delete(Path.Combine(_directory, "logs"));
        Assert.True(Assert.Single(await output.CheckAsync(CancellationToken.None)).Ok);
        await Send(output, "a");
        Assert.Equal(["a"], Messages(FilePath));
    }

    [Fact]
    public async Task Two_outputs_never_write_to_one_file_at_a_time()
    {
        await using FileOutput second = Output();
        await using (FileOutput first = Output())
        {
            await Send(first, "a");
            Assert.Contains("Another agent or output", (await Assert.ThrowsAsync<SendException>(() => Send(second, "b"))).Message);
        }

        await Send(second, "b");
        Assert.Equal(["a", "b"], Messages(FilePath));
    }

    [Fact]
    public async Task A_full_disk_leaves_no_half_line_and_doubles_nothing()
    {
        if (!File.Exists("/dev/full"))
        {
            return;
        }

        // A write to the device fails with the error of a full disk.
        string path = Path.Combine(_directory, "full.ndjson");
        File.CreateSymbolicLink(path, "/dev/full");
        await using FileOutput full = new("file", new() { Path = path, MaxBytes = long.MaxValue, MaxAge = TimeSpan.FromDays(9999) }, new(Schema.Ecs), _clock);
        SendException refused = await Assert.ThrowsAsync<SendException>(() => Send(full, "a"));
        Assert.Contains("No space left", refused.Message);
    }
}
