using LogAgent.Delivery;
using LogAgent.Outputs;

namespace LogAgent.Tests.Outputs.Contract;

/// <summary>A directory that can fail: something else stands in its place.</summary>
internal sealed class FileReceiver : OutputReceiver
{
    private readonly string _root = Directory.CreateTempSubdirectory("logagent-contract-").FullName;

    private string Logs => Path.Combine(_root, "logs");

    private string FilePath => Path.Combine(Logs, "records.ndjson");

    public override IOutput NewOutput() => new FileOutput("file", new() { Path = FilePath }, new(Schema.Ecs), TimeProvider.System);

    public override void Begin(OutputFault fault)
    {
        if (Directory.Exists(Logs))
        {
            Directory.Delete(Logs, true);
        }

        File.WriteAllText(Logs, "no directory");
    }

    public override void End()
    {
        if (File.Exists(Logs))
        {
            File.Delete(Logs);
        }
    }

    public override IReadOnlyList<string> Taken() => File.Exists(FilePath) ? File.ReadAllLines(FilePath) : [];

    public override ValueTask DisposeAsync()
    {
        Directory.Delete(_root, true);
        return ValueTask.CompletedTask;
    }
}
