using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

/// <summary>The scenarios of containers' logs, for the files that applications write.</summary>
public sealed class FileScenarioTests : Scenario
{
    private readonly List<LogFile> _files = [];

    private string Logs => Path.GetDirectoryName(Folder["logs/."])!;

    [ScenarioFact]
    [Trait("Scenario", "8")]
    public async Task A_writer_that_keeps_its_offset_over_copytruncate_leaves_holes_and_loses_nothing()
    {
        LogFile log = New("stale/app.log", "stale");
        DocumentStore store = await StartAsync();
        for (int round = 0; round < 5; round++)
        {
            log.WriteSequence(500);
            await WaitAsync(() => store.Stored.CountOf("stale") > round * 500, "it is being read");
            log.CopyTruncate();
        }

        log.WriteSequence(500);
        await ArrivesAsync(store);
        Assert.DoesNotContain(store.Documents, document => document.Contains("\\u0000", StringComparison.Ordinal));
    }

    [ScenarioFact]
    [Trait("Scenario", "8")]
    public async Task A_file_cut_and_grown_past_the_old_place_between_two_looks_is_read_anew_and_says_so()
    {
        LogFile log = New("cut/app.log", "cut");
        DocumentStore store = await StartAsync();
        log.WriteSequence(100);
        await ArrivesAsync(store);
        await Agent!.FreezeAsync();
        log.Truncate(rewind: true);
        log.WriteSequence(300);
        Agent.SignalIt(Signal.Cont);
        await ArrivesAsync(store);
        await WaitAsync(() => store.Documents.Any(document => document.Contains("\"gap\"", StringComparison.Ordinal) && document.Contains("truncated and written again", StringComparison.Ordinal)), "a gap record says it");
    }

    [ScenarioFact]
    [Trait("Scenario", "9")]
    public async Task An_inode_used_again_while_the_agent_was_down_is_another_file_however_alike_it_begins()
    {
        string banner = new string('=', 2000) + "\n";
        LogFile first = New("one/app.log", "first");
        DocumentStore store = await StartAsync();
        first.WriteRaw(banner);
        first.WriteSequence(50);
        await ArrivesAsync(store);
        await Agent!.KillAsync();

        // Where the file system gives inodes back at once, one of the next has the old one.
        first.Delete();
        foreach ((string path, string source) in new[] { ("one/app.log", "second"), ("two/app.log", "third") })
        {
            LogFile next = New(path, source);
            next.WriteRaw(banner);
            next.WriteSequence(70);
        }

        StartAgent(Configuration(store));
        await ArrivesAsync(store);
        Assert.Equal(3, store.Documents.Count(document => document.Contains("====", StringComparison.Ordinal)));
    }

    [ScenarioFact]
    [Trait("Scenario", "9")]
    public async Task A_file_that_was_rotated_and_compressed_while_the_agent_was_down_is_read_on_inside_the_gz()
    {
        LogFile log = New("gz/app.log", "gz");
        DocumentStore store = await StartAsync();
        log.WriteSequence(1000);
        await ArrivesAsync(store);
        await Agent!.KillAsync();
        log.WriteSequence(1000);
        log.Rename();
        log.WriteSequence(1000);
        log.Rename();
        log.WriteSequence(1000);
        foreach (string rotated in Directory.GetFiles(Logs + "/gz", "app.log-*"))
        {
            await Shell.RunAsync("gzip", rotated);
        }

        StartAgent(Configuration(store));
        await ArrivesAsync(store);
    }

    [ScenarioFact]
    [Trait("Scenario", "3")]
    public async Task Fast_rotations_lose_nothing()
    {
        LogFile log = New("fast/app.log", "fast");
        DocumentStore store = await StartAsync();
        for (int round = 0; round < (Machine.Full ? 200 : 25); round++)
        {
            log.WriteSequence(2000);
            log.Rename();
            await Until.LoadAsync(20);
        }

        log.WriteSequence(10);
        await ArrivesAsync(store);
    }

    [ScenarioFact]
    [Trait("Scenario", "16")]
    public async Task Five_hundred_files_are_read_with_sixty_four_handles()
    {
        for (int i = 0; i < 500; i++)
        {
            New($"many/{i}.log", $"many-{i}").WriteSequence(10);
        }

        DocumentStore store = await StartAsync("limits:\n  open_files: 64");
        int most = 0;
        for (int round = 0; round < 2; round++)
        {
            await WaitAsync(
                () =>
                {
                    most = Math.Max(most, Agent!.CountOpen(".log"));
                    return store.Stored.IsComplete(Written);
                },
                "everything has arrived",
                () => store.Stored.Compare(Written));
            _files.ForEach(file => file.WriteSequence(10));
        }

        await ArrivesAsync(store);
        Assert.InRange(most, 1, 64);
    }

    [ScenarioFact(Needs.Root)]
    [Trait("Scenario", "16")]
    public async Task With_eight_inotify_watches_the_files_that_have_none_are_looked_at_in_turn()
    {
        for (int i = 0; i < 40; i++)
        {
            New($"watched-{i}/app.log", $"watched-{i}").WriteSequence(10);
        }

        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(Configuration(store), wrapper: ["unshare", "--user", "--map-root-user", "sh", "-c", "echo 8 >/proc/sys/user/max_inotify_watches; exec \"$@\"", "sh"]);
        for (int round = 0; round < 3; round++)
        {
            await ArrivesAsync(store);
            _files.ForEach(file => file.WriteSequence(10));
        }

        await ArrivesAsync(store);
    }

    [ScenarioFact(Needs.Fuse | Needs.Mount)]
    public async Task Where_inotify_is_silent_polling_finds_the_lines()
    {
        string mount = Path.GetDirectoryName(Folder["mounted/."])!;
        LogFile log = New("behind/app.log", "behind");
        await Shell.RunAsync("bindfs", "-o", "attr_timeout=0,entry_timeout=0", Logs, mount);
        try
        {
            DocumentStore store = Own(await DocumentStore.StartNewAsync());
            StartAgent(HostFilesConfiguration($"- paths: [{mount}/**/*.log]", Elasticsearch(store.Url)));
            for (int round = 0; round < 4; round++)
            {
                log.WriteSequence(200);
                New($"behind/new-{round}.log", $"new-{round}").WriteSequence(20);
                await ArrivesAsync(store);
            }

            await Agent!.StopAsync();
        }
        finally
        {
            await Shell.TryAsync("umount", ["-l", mount]);
        }
    }

    private IReadOnlyDictionary<string, long> Written => _files.ToDictionary(file => file.Source, file => file.Written);

    private LogFile New(string path, string source, string rest = "and some words of an application")
    {
        var file = new LogFile(Path.Combine(Logs, path), source, rest);
        _files.Add(file);
        return file;
    }

    private async Task<DocumentStore> StartAsync(string more = "")
    {
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(Configuration(store, more));
        return store;
    }

    private string Configuration(DocumentStore store, string more = "") =>
        HostFilesConfiguration($"- paths: ['{Logs}/{{service}}/*.log']", Elasticsearch(store.Url), more);

    private async Task ArrivesAsync(DocumentStore store)
    {
        await WaitForAllAsync(store.Stored, () => Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(Written));
    }
}
