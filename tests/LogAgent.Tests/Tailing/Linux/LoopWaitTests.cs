using System.Collections.Concurrent;
using LogAgent.Tailing;
using LogAgent.Tailing.Checkpoints;
using LogAgent.Tailing.Linux;

namespace LogAgent.Tests.Tailing.Linux;

public sealed class LoopWaitTests : IDisposable
{
    private static readonly TimeSpan s_long = TimeSpan.FromMinutes(5);

    private readonly string _directory = Directory.CreateTempSubdirectory("logagent-wait").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_change_ends_the_wait_and_tells_the_name()
    {
        using LoopWait wait = new();
        wait.Watch([_directory]);
        Assert.False(wait.IsShort);
        File.WriteAllText(Path.Combine(_directory, "app.log"), "a");
        wait.Wait(TimeSpan.Zero, s_long);
        List<(string Directory, string Name, bool OnlyContent)> changes = [];
        Assert.True(wait.TakeChanges((directory, name, onlyContent) => changes.Add((directory, name.ToString(), onlyContent))));
        Assert.Equal([(_directory, "app.log", false), (_directory, "app.log", true)], changes);
    }

    [Fact]
    public void A_wake_before_the_wait_ends_it()
    {
        using LoopWait wait = new();
        wait.Wake();
        wait.Wake();
        wait.Wait(s_long, s_long);
        wait.Wake();
        wait.Wait(s_long, s_long);
    }

    [Fact]
    public void What_is_not_watched_any_more_tells_nothing_and_a_directory_that_comes_again_is_watched_again()
    {
        using LoopWait wait = new();
        string second = Path.Combine(_directory, "second");
        Directory.CreateDirectory(second);
        wait.Watch([_directory, second]);
        wait.Watch([second]);
        File.WriteAllText(Path.Combine(_directory, "app.log"), "a");
        Assert.Empty(Taken(wait));
        Directory.Delete(second);
        Assert.Empty(Taken(wait));
        Directory.CreateDirectory(second);
        wait.Watch([second]);
        File.WriteAllText(Path.Combine(second, "app.log"), "a");
        Assert.Contains("app.log", Taken(wait));
    }

    [Fact]
    public async Task A_line_is_read_at_once_though_the_next_regular_look_is_far_away()
    {
        string path = Path.Combine(_directory, "logs", "app.log");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using BlockingCollection<int> counts = [];
        TailOptions options = new() { PollInterval = s_long };
        using TailLoop loop = new(options, new CheckpointStore(Path.Combine(_directory, "state")), new MemoryBudget(1 << 20), TimeProvider.System, Take, _ => { });
        loop.Set(new TailTarget { Id = "a", Path = path, Format = TailFormat.DockerJson, Fields = FieldSet.Empty });
        using CancellationTokenSource stop = new();
        Task run = loop.RunAsync(stop.Token);
        for (int i = 0; i < 3; i++)
        {
            await File.AppendAllTextAsync(path, TailRig.Json("a line\\n"));
            Assert.True(counts.TryTake(out int count, TimeSpan.FromSeconds(30)));
            Assert.Equal(1, count);
        }

        await stop.CancelAsync();
        await run;

        void Take(LogBatch batch)
        {
            int count = batch.Count;
            batch.Acknowledge();
            counts.Add(count);
        }
    }

    private static List<string> Taken(LoopWait wait)
    {
        List<string> names = [];
        wait.TakeChanges((_, name, _) => names.Add(name.ToString()));
        return names;
    }
}
