using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

/// <summary>Log files without any container: which of them a configuration names, what they carry, and what may be in them.</summary>
public sealed class HostFilesTests : Scenario
{
    private string Logs => Path.GetDirectoryName(Folder["logs/."])!;

    [ScenarioFact]
    public async Task Globs_with_braces_excludes_and_names_of_fields_choose_files_and_give_their_paths_parts()
    {
        foreach (string path in new[] { "shop/app.log", "shop/web-1.log", "shop/app-debug.log", "shop/other.log", "pay/deep/er/app.log", "skip/app.log", "pay/.hidden.log", "pay/app.txt" })
        {
            await File.WriteAllTextAsync(Folder["logs/" + path], path + "\n");
        }

        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(HostFilesConfiguration(
            $"- paths: ['{Logs}/{{service}}/**/{{app,web}}*.log']\n  exclude: ['*debug*', '{Logs}/skip/**']\n  fields: {{ team: search }}",
            Elasticsearch(store.Url)));
        await WaitAsync(() => store.Documents.Count == 3, "three files are read", () => string.Join('\n', store.Documents));
        JsonNode[] documents = [.. store.Documents.Select(document => JsonNode.Parse(document)!).OrderBy(document => (string?)document["message"])];
        Assert.Equal(["pay/deep/er/app.log", "shop/app.log", "shop/web-1.log"], documents.Select(document => (string?)document["message"]));
        Assert.Equal(["pay", "shop", "shop"], documents.Select(document => (string?)document["service"]!["name"]));
        Assert.All(documents, document => Assert.Equal("search", (string?)document["team"]));
        Assert.All(documents, document => Assert.Equal($"{Logs}/{document["message"]}", (string?)document["log"]!["file"]!["path"]));
    }

    [ScenarioFact]
    public async Task Dated_names_come_and_go_under_a_cap_of_open_files_and_nothing_is_lost()
    {
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(HostFilesConfiguration($"- paths: ['{Logs}/*.request.log']", Elasticsearch(store.Url), "limits:\n  open_files: 16"));
        var written = new Dictionary<string, long>();
        int most = 0;
        for (int day = 0; day < 60; day++)
        {
            string source = new DateOnly(2026, 9, 1).AddDays(day).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            using var log = new LogFile($"{Logs}/{source}.request.log", source);
            log.WriteSequence(50);
            written[source] = log.Written;
            most = Math.Max(most, Agent!.CountOpen(".request.log"));
            if (day >= 30)
            {
                // Kept for a month, as a cleaner would: what is deleted was there long enough to be read.
                string old = new DateOnly(2026, 9, 1).AddDays(day - 30).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
                await WaitAsync(() => store.Stored.CountOf(old) == 50, $"the file of {old} is read");
                File.Delete($"{Logs}/{old}.request.log");
            }
        }

        await WaitForAllAsync(store.Stored, () => written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(written));
        Assert.InRange(Math.Max(most, Agent!.CountOpen(".request.log")), 1, 16);
    }

    [ScenarioFact]
    public async Task Whatever_stands_in_the_files_each_line_is_a_record_that_says_what_is_wrong_with_it()
    {
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(HostFilesConfiguration(
            $"- paths: ['{Logs}/latin/*.log']\n  encoding: latin1\n- paths: ['{Logs}/wide/*.log']\n  encoding: utf16\n- paths: ['{Logs}/text/*.log', '{Logs}/link/current.log']",
            Elasticsearch(store.Url)));
        await File.WriteAllTextAsync(Folder["logs/latin/a.log"], "fa\u00e7ade\r\nplain\n", Encoding.Latin1);
        await File.WriteAllTextAsync(Folder["logs/wide/little.log"], "w\u00efde\r\n\u4e2d\u6587\n", Encoding.Unicode);
        await File.WriteAllTextAsync(Folder["logs/wide/big.log"], "b\u00efg\n", Encoding.BigEndianUnicode);
        await File.WriteAllTextAsync(Folder["logs/text/bom.log"], "first\r\n\r\nsecond\r\n", new UTF8Encoding(true));
        await File.WriteAllBytesAsync(Folder["logs/text/garbage.log"], [.. "a"u8, 0xff, 0xfe, 0x80, .. "b\n"u8, .. new byte[5000], .. "after\n"u8]);
        await File.WriteAllTextAsync(Folder["logs/text/open.log"], "whole\nhalf");
        string alike = new string('=', 3000) + "\n";
        await File.WriteAllTextAsync(Folder["logs/text/alike-1.log"], alike + "one\n");
        await File.WriteAllTextAsync(Folder["logs/text/alike-2.log"], alike + "two\n");
        await File.WriteAllTextAsync(Folder["logs/link/v1.log"], "by link 1\n");
        File.CreateSymbolicLink(Folder["logs/link/current.log"], "v1.log");
        await File.WriteAllTextAsync(Folder["logs/text/replaced.log"], "before\n");
        ShellWriter[] appenders = [.. await Task.WhenAll(Enumerable.Range(0, 4).Select(i => ShellWriter.StartAsync(Folder["logs/text/shared.log"], $"appender-{i}")))];
        foreach (ShellWriter appender in appenders)
        {
            Own(appender);
        }

        await ShowsAsync(store, "/latin/a.log", "fa\u00e7ade", "plain");
        await ShowsAsync(store, "/wide/little.log", "w\u00efde", "\u4e2d\u6587");
        await ShowsAsync(store, "/wide/big.log", "b\u00efg");
        await ShowsAsync(store, "/text/bom.log", "first", "second");
        await ShowsAsync(store, "/text/alike-1.log", alike.TrimEnd(), "one");
        await ShowsAsync(store, "/text/alike-2.log", alike.TrimEnd(), "two");
        await WaitAsync(() => Messages(store, "/text/garbage.log").Any(message => message.EndsWith("after", StringComparison.Ordinal)), "what follows the garbage is read");
        Assert.Contains("a\ufffd\ufffd\ufffdb", Messages(store, "/text/garbage.log"));
        Assert.Contains(Flags(store, "/text/garbage.log"), flags => flags.Contains("binary", StringComparison.Ordinal));

        // A link that is led elsewhere, and a file that is replaced as a whole.
        await ShowsAsync(store, "/link/current.log", "by link 1");
        await File.AppendAllTextAsync(Folder["logs/link/v1.log"], "last of 1\n");
        await File.WriteAllTextAsync(Folder["logs/link/v2.log"], "by link 2\n");
        File.CreateSymbolicLink(Folder["logs/link/next"], "v2.log");
        File.Move(Folder["logs/link/next"], Folder["logs/link/current.log"], overwrite: true);
        await ShowsAsync(store, "/link/current.log", "by link 1", "by link 2", "last of 1");
        await ShowsAsync(store, "/text/replaced.log", "before");
        await File.WriteAllTextAsync(Folder["logs/text/replaced.tmp"], "replaced\n");
        File.Move(Folder["logs/text/replaced.tmp"], Folder["logs/text/replaced.log"], overwrite: true);
        await ShowsAsync(store, "/text/replaced.log", "before", "replaced");

        // What has no end yet is shipped after some seconds, and not again with the rest.
        await ShowsAsync(store, "/text/open.log", "half", "whole");
        await File.AppendAllTextAsync(Folder["logs/text/open.log"], " and the rest\n");
        await ShowsAsync(store, "/text/open.log", " and the rest", "half", "whole");

        var written = new Dictionary<string, long>();
        foreach (ShellWriter appender in appenders)
        {
            written[appender.Source] = await appender.StopAsync();
        }

        await WaitForAllAsync(store.Stored, () => written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(written));
    }

    [ScenarioFact]
    public async Task A_line_of_fifty_megabytes_is_cut_and_the_memory_stays_bounded()
    {
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(HostFilesConfiguration($"- paths: ['{Logs}/*.log']", Elasticsearch(store.Url), "limits:\n  memory: 16MiB"));
        await using (StreamWriter log = new(Folder["logs/long.log"]))
        {
            await log.WriteAsync("before\n");
            string megabyte = new('x', 1 << 20);
            for (int i = 0; i < 50; i++)
            {
                await log.WriteAsync(megabyte);
            }

            await log.WriteAsync("\nafter\n");
        }

        await WaitAsync(() => Messages(store, "/long.log").Contains("after"), "the line after it has arrived");
        Assert.Equal(3, Messages(store, "/long.log").Count());
        Assert.Equal(1 << 20, Messages(store, "/long.log").Max(message => message.Length));
        Assert.Contains(Flags(store, "/long.log"), flags => flags.Contains("truncated", StringComparison.Ordinal));
        Assert.InRange(Agent!.MemoryKiB("VmHWM"), 0, 300 << 10);
    }

    [ScenarioFact(Needs.Root)]
    public async Task What_is_no_file_is_refused_once_and_what_may_not_be_read_is_tried_until_it_may()
    {
        await Shell.RunAsync("mkfifo", Folder["logs/pipe.log"]);
        await Shell.RunAsync("mknod", Folder["logs/null.log"], "c", "1", "3");
        Directory.CreateDirectory(Folder["logs/directory.log/."]);
        await File.WriteAllTextAsync(Folder["logs/closed.log"], "secret\n");
        await File.WriteAllTextAsync(Folder["logs/good.log"], "good\n");
        await Shell.RunAsync("chmod", "000", Folder["logs/closed.log"]);
        await Shell.RunAsync("chown", "65534:65534", StateDirectory);
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(HostFilesConfiguration($"- paths: ['{Logs}/*.log']", Elasticsearch(store.Url)), wrapper: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
        await WaitAsync(() => Messages(store, "/good.log").Any(), "the good one is read");
        await WaitAsync(() => Said("closed.log") == 1 && Said("pipe.log") == 1 && Said("null.log") == 1, "each is said", () => Agent!.Log);
        await Until.LoadAsync(2500);
        await Shell.RunAsync("chmod", "644", Folder["logs/closed.log"]);
        await ShowsAsync(store, "/closed.log", "secret");
        Assert.Equal((1, 1, 1, 0), (Said("closed.log"), Said("pipe.log"), Said("null.log"), Said("directory.log")));

        int Said(string name) => Agent!.Log.Split('\n').Count(line => line.Contains(name, StringComparison.Ordinal));
    }

    private Task ShowsAsync(DocumentStore store, string path, params string[] sorted) => WaitAsync(
        () => Messages(store, path).Order(StringComparer.Ordinal).SequenceEqual(sorted.Order(StringComparer.Ordinal)),
        $"{path} shows {string.Join(" | ", sorted)}",
        () => string.Join('\n', Messages(store, path)));

    private static IEnumerable<string> Messages(DocumentStore store, string path) => Of(store, path).Select(document => (string?)document["message"] ?? "");

    private static IEnumerable<string> Flags(DocumentStore store, string path) => Of(store, path).Select(document => document["log"]!["flags"]?.ToJsonString() ?? "");

    private static IEnumerable<JsonNode> Of(DocumentStore store, string path) =>
        store.Documents.Select(document => JsonNode.Parse(document)!).Where(document => ((string?)document["log"]?["file"]?["path"])?.EndsWith(path, StringComparison.Ordinal) == true);
}
