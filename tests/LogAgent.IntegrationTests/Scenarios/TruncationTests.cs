using System.Text;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

/// <summary>What other programs do to a plain file while the agent cannot look (it is stopped): the worst moment for each.</summary>
[Trait("Scenario", "8")]
public sealed class TruncationTests : Scenario
{
    private const string Source = "plain";

    private long _written;

    [ScenarioFact]
    public async Task A_copytruncate_with_a_writer_that_keeps_its_place_loses_and_doubles_nothing()
    {
        (string path, DocumentStore store, AgentProcess agent) = await StartAsync();
        using FileStream writer = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        writer.Seek(0, SeekOrigin.End);
        for (int round = 0; round < 4; round++)
        {
            Write(writer, 1000);
            await ArrivedAsync(store);
            await agent.FreezeAsync();
            Write(writer, 500); // only the copy has these
            CopyAway(path);
            Truncate(path);
            Write(writer, 500); // behind a hole as long as the file was
            agent.SignalIt(Signal.Cont);
            await ArrivedAsync(store);
        }

        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(Written()));
        Assert.DoesNotContain(store.Documents, document => document.Contains("\\u0000", StringComparison.Ordinal));
    }

    [ScenarioFact]
    public async Task A_file_that_is_truncated_and_grows_past_the_old_place_is_read_from_its_beginning()
    {
        (string path, DocumentStore store, AgentProcess agent) = await StartAsync();
        for (int round = 0; round < 4; round++)
        {
            long before = new FileInfo(path).Length;
            await agent.FreezeAsync();
            Truncate(path);
            using (FileStream writer = new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0))
            {
                Write(writer, 1500 * (round + 1));
                Assert.True(writer.Length > before);
            }

            agent.SignalIt(Signal.Cont);
            await ArrivedAsync(store);
        }

        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(Written()));
    }

    private async Task<(string Path, DocumentStore Store, AgentProcess Agent)> StartAsync()
    {
        string path = Folder["logs/app.log"];
        using (FileStream writer = new(path, FileMode.Create, FileAccess.Write))
        {
            Write(writer, 500);
        }

        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        AgentProcess agent = StartAgent($"""
            docker:
              discovery: none
            files:
              - paths: [{Path.GetDirectoryName(path)}/*.log]
            state:
              directory: {StateDirectory}
            metrics:
              listen: ""
            outputs:
              - type: elasticsearch
                hosts: [{store.Url}]
            """);
        await ArrivedAsync(store);
        return (path, store, agent);
    }

    private void Write(FileStream writer, int lines)
    {
        var text = new StringBuilder();
        for (int i = 0; i < lines; i++)
        {
            text.Append(Sequences.Line(Source, _written++, "words of an application")).Append('\n');
        }

        writer.Write(Encoding.UTF8.GetBytes(text.ToString()));
    }

    // As logrotate does it: the older copies move up, a new file takes the content.
    private static void CopyAway(string path)
    {
        for (int i = 8; i > 0; i--)
        {
            if (File.Exists($"{path}.{i}"))
            {
                File.Move($"{path}.{i}", $"{path}.{i + 1}");
            }
        }

        File.Copy(path, path + ".1");
    }

    // By a handle of its own, as logrotate does it.
    private static void Truncate(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        file.SetLength(0);
    }

    private Task ArrivedAsync(DocumentStore store) => WaitForAllAsync(store.Stored, Written);

    private Dictionary<string, long> Written() => new() { [Source] = _written };
}
