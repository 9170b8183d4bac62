using System.Text.Json;
using LogAgent.IntegrationTests.Support;
using LogAgent.Tests.Outputs.Syslog;

namespace LogAgent.IntegrationTests.Outputs;

/// <summary>A place that the agent ships to, which goes down and comes back, and says what has arrived.</summary>
internal abstract class OutputSite : IAsyncDisposable
{
    /// <summary>The keys of the output.</summary>
    public abstract string Yaml { get; }

    /// <summary>What was sent and not acknowledged when the agent or the place died may come twice.</summary>
    public virtual bool MayDouble => true;

    /// <summary>Starts it, up.</summary>
    public static async Task<OutputSite> StartAsync(string kind, string directory) => kind switch
    {
        "elasticsearch" => new StoreSite(await DocumentStore.StartNewAsync()),
        "kafka" => new KafkaSite(await KafkaServer.StartAsync()),
        "syslog" => new SyslogSite(),
        "file" => await FileSite.StartAsync(directory),
        _ => throw new ArgumentException("No such kind.", nameof(kind)),
    };

    public abstract Task DownAsync();

    public abstract Task UpAsync();

    public abstract Task<Sequences> ArrivedAsync();

    public abstract ValueTask DisposeAsync();

    private static Sequences Of(IEnumerable<string> messages)
    {
        var arrived = new Sequences();
        foreach (string message in messages)
        {
            arrived.Add(message);
        }

        return arrived;
    }

    private static string Message(string document)
    {
        using JsonDocument parsed = JsonDocument.Parse(document);
        return parsed.RootElement.GetProperty("message").GetString()!;
    }

    private sealed class StoreSite(DocumentStore store) : OutputSite
    {
        public override string Yaml => $"type: elasticsearch\nhosts: [{store.Url}]";

        public override bool MayDouble => false;

        public override Task DownAsync() => store.StopAsync();

        public override Task UpAsync() => store.StartAsync();

        public override Task<Sequences> ArrivedAsync() => Task.FromResult(store.Stored);

        public override ValueTask DisposeAsync() => store.DisposeAsync();
    }

    private sealed class KafkaSite(KafkaServer kafka) : OutputSite
    {
        public override string Yaml => $"type: kafka\nbrokers: [{kafka.Bootstrap}]\ntopic: logs";

        public override Task DownAsync() => kafka.KillBrokerAsync(1);

        public override Task UpAsync() => kafka.StartBrokerAsync(1);

        public override async Task<Sequences> ArrivedAsync() => Of((await kafka.ReadAllAsync("logs")).Select(Message));

        public override ValueTask DisposeAsync() => kafka.DisposeAsync();
    }

    private sealed class SyslogSite : OutputSite
    {
        private readonly SyslogReceiver _receiver = new();
        private readonly Sequences _arrived = new();

        public SyslogSite() => _ = TakeAsync();

        public override string Yaml => $"type: syslog\ntargets: [127.0.0.1:{_receiver.Port}]\nprotocol: tcp";

        public override Task DownAsync()
        {
            _receiver.Stop();
            return Task.CompletedTask;
        }

        public override Task UpAsync()
        {
            _receiver.Start();
            return Task.CompletedTask;
        }

        public override Task<Sequences> ArrivedAsync() => Task.FromResult(_arrived);

        public override ValueTask DisposeAsync()
        {
            _receiver.Dispose();
            return ValueTask.CompletedTask;
        }

        private async Task TakeAsync()
        {
            while (true)
            {
                _arrived.Add(await _receiver.NextAsync());
            }
        }
    }

    /// <summary>A file on a disk that is full while it is down.</summary>
    private sealed class FileSite(string directory) : OutputSite
    {
        private readonly SmallDisk _disk = new(directory, "64m");

        private string FilePath => Path.Combine(directory, "records.ndjson");

        public override string Yaml => $"type: file\npath: {FilePath}";

        public static async Task<FileSite> StartAsync(string directory)
        {
            FileSite site = new(directory);
            await site._disk.MountAsync();
            return site;
        }

        public override Task DownAsync()
        {
            _disk.Fill();
            return Task.CompletedTask;
        }

        public override Task UpAsync()
        {
            _disk.Free();
            return Task.CompletedTask;
        }

        public override Task<Sequences> ArrivedAsync() => Task.FromResult(Of(WholeLines().Select(Message)));

        public override ValueTask DisposeAsync() => _disk.DisposeAsync();

        private string[] WholeLines()
        {
            if (!File.Exists(FilePath))
            {
                return [];
            }

            using var file = new FileStream(FilePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            string text = new StreamReader(file).ReadToEnd();
            return text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
    }
}
