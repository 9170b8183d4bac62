using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

/// <summary>The distribution's logrotate under writers that never pause, in the ways that its manual offers.</summary>
public sealed class LogrotateTests : Scenario
{
    private static readonly int Rounds = Machine.Full ? 40 : 4;

    /// <summary>Rotations after which every line that was written is in a file, by the name of the directory.</summary>
    private static readonly Dictionary<string, string> Kept = new()
    {
        ["create"] = "create 0640 root root",
        ["delaycompress"] = "create\ncompress\ndelaycompress",
        ["dateext"] = "create\ndateext\ndateformat -%Y%m%d-%s",
        ["datecompress"] = "create\ndateext\ndateformat .%Y%m%d%s\ncompress\ndelaycompress",
        ["nocreate"] = "nocreate",
        ["olddir"] = "create\nolddir OLD\ncreateolddir 755 root root",
        ["extension"] = "create\nextension .log",
    };

    /// <summary>Rotations that may lose what a writer adds between the copy and the cut, or after the compression: the files are the oracle.</summary>
    private static readonly Dictionary<string, string> Copied = new()
    {
        ["copytruncate"] = "copytruncate",
        ["copycompress"] = "copytruncate\ncompress",
        ["copydate"] = "copytruncate\ndateext\ndateformat -%Y%m%d-%s\ncompress\ndelaycompress",
        ["compress"] = "create\ncompress",
    };

    /// <summary>Rotations that logrotate decides upon by itself: without --force.</summary>
    private static readonly Dictionary<string, string> Sized = new()
    {
        ["size"] = "create\nsize 1k",
        ["maxsize"] = "create\nyearly\nmaxsize 1k\ncompress\ndelaycompress",
    };

    [ScenarioFact(Needs.Logrotate)]
    public async Task Each_line_arrives_once_whatever_logrotate_is_told()
    {
        string forced = Configuration("forced", [.. Kept, .. Copied]) + Shared();
        string sized = Configuration("sized", Sized);
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(HostFilesConfiguration($"- paths: [{Logs}/*/*.log]", Elasticsearch(store.Url)));
        var writers = new List<ShellWriter>();
        foreach (string file in Files())
        {
            writers.Add(Own(await ShellWriter.StartAsync(file, Path.GetFileName(file))));
        }

        // What is rotated into another directory can be read only through a handle.
        await WaitAsync(() => writers.All(writer => store.Stored.CountOf(writer.Source) > 0), "each file is being read");
        for (int round = 0; round < Rounds; round++)
        {
            long olddir = store.Stored.CountOf("olddir.log");
            await WaitAsync(() => Files().All(file => new FileInfo(file) is { Exists: true, Length: > 2000 }), "each writer has written to its new file");
            await LogrotateAsync("--force", forced);
            long second = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
            await LogrotateAsync("--verbose", sized);
            await WaitAsync(() => store.Stored.CountOf("olddir.log") > olddir + 50, "the new file is open, too");

            // Names with the second of the rotation are free again. time(2), which logrotate asks, is some milliseconds behind the clock.
            await WaitAsync(() => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() > second + 1, "the next second but one");
        }

        var written = new Dictionary<string, long>();
        foreach (ShellWriter writer in writers)
        {
            long count = await writer.StopAsync();
            if (!Copied.ContainsKey(Path.GetFileNameWithoutExtension(writer.Source)))
            {
                written[writer.Source] = count;
            }
        }

        var files = new Sequences();
        WrittenFiles.AddTo(files, Logs, ".log");
        await WaitForAllAsync(store.Stored, () => written);
        await WaitAsync(() => store.Stored.Compare(files).StartsWith("0 missing", StringComparison.Ordinal), "all that is in the files has arrived", () => store.Stored.Compare(files));
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(files));
        Assert.True(Directory.GetFiles(Logs, "*.gz", SearchOption.AllDirectories).Length >= 5 * (Rounds - 2), "logrotate has compressed");
    }

    private string Logs => Path.GetDirectoryName(Folder["logs/."])!;

    private IEnumerable<string> Files() =>
        [.. Kept.Keys.Concat(Copied.Keys).Concat(Sized.Keys).Select(name => $"{Logs}/{name}/{name}.log"), $"{Logs}/shared/one.log", $"{Logs}/shared/two.log"];

    private string Configuration(string name, IEnumerable<KeyValuePair<string, string>> rules)
    {
        foreach ((string rule, string directives) in rules)
        {
            Directory.CreateDirectory($"{Logs}/{rule}");
            string hangUp = directives.StartsWith("copytruncate", StringComparison.Ordinal) ? "" : $"postrotate\nkill -HUP $(cat {Logs}/{rule}/{rule}.log.pid)\nendscript\n";
            File.AppendAllText(Folder[name + ".conf"], $"{Logs}/{rule}/{rule}.log {{\nrotate 100\n{directives.Replace("OLD", $"{Logs}/{rule}/old", StringComparison.Ordinal)}\n{hangUp}}}\n");
        }

        return Folder[name + ".conf"];
    }

    /// <summary>Two files and one script for both, as Debian has it for syslog.</summary>
    private string Shared()
    {
        Directory.CreateDirectory($"{Logs}/shared");
        File.AppendAllText(Folder["forced.conf"], $"{Logs}/shared/one.log\n{Logs}/shared/two.log\n{{\nrotate 100\nweekly\nmissingok\nnotifempty\ncompress\ndelaycompress\nsharedscripts\npostrotate\nkill -HUP $(cat {Logs}/shared/*.pid)\nendscript\n}}\n");
        return "";
    }

    private async Task LogrotateAsync(string option, string configuration)
    {
        ShellResult result = await Shell.TryAsync("logrotate", [option, "--state", Folder["logrotate.state"], configuration], new Dictionary<string, string> { ["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin" });
        Assert.True(result.ExitCode == 0, result.Error + result.Output);
    }
}
