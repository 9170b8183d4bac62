using LogAgent.Delivery;

namespace LogAgent.Tests.Outputs.Contract;

/// <summary>The other end of one kind of output, as the contract needs it.</summary>
internal abstract class OutputReceiver : IAsyncDisposable
{
    /// <summary>A record longer than this is too large for it.</summary>
    public const int LargestMessage = 20_000;

    public static IReadOnlyList<string> Kinds { get; } = ["elasticsearch", "kafka", "syslog tcp", "syslog udp", "file", "console"];

    /// <summary>Records arrive in the order in which they were read, through this fault, too (null: without one).</summary>
    public virtual bool KeepsOrder(OutputFault? fault) => true;

    /// <summary>A fault that passes makes nothing arrive twice.</summary>
    public virtual bool NeverDoubles => false;

    /// <summary>What is lost on the way is not known to the sender.</summary>
    public virtual bool LosesInSilence => false;

    /// <summary>Bytes of records that are sent while it hangs, so that it is noticed.</summary>
    public virtual int HangBytes => 10_000;

    public static async Task<OutputReceiver> StartAsync(string kind) => kind switch
    {
        "elasticsearch" => await ElasticsearchReceiver.StartAsync(),
        "kafka" => new KafkaReceiver(),
        "syslog tcp" => new SyslogTcpReceiver(),
        "syslog udp" => new SyslogUdpReceiver(),
        "file" => new FileReceiver(),
        "console" => new ConsoleReceiver(),
        _ => throw new ArgumentException("No such kind of output.", nameof(kind)),
    };

    /// <summary>Why the fault cannot happen here and what stands in its place; null where it can.</summary>
    public static string? WhyNot(string kind, OutputFault fault) => (kind, fault) switch
    {
        ("syslog tcp", OutputFault.Partial) => "a stream has no answer for a record: a group is taken by the socket, or it is sent again as a whole",
        ("syslog udp", OutputFault.Partial) => "nothing is answered to a datagram",
        ("syslog udp", OutputFault.Hang or OutputFault.Slow) => "nobody waits for the receiver of a datagram: it is delivered when it is sent",
        ("file", OutputFault.Partial) => "a group is on disk as a whole, or what was written of it is cut off again",
        ("file" or "console", OutputFault.TooLarge) => "a record of any length can be written",
        ("file" or "console", OutputFault.Garbage) => "what is written to answers nothing",
        ("file", OutputFault.Hang or OutputFault.Slow) => "a disk that hangs holds the thread in the kernel: the send ends when the disk does, and a stop leaves it after its time",
        ("console", OutputFault.Partial) => "the descriptor takes bytes, not records: the rest is written until all is",
        ("console", OutputFault.Reset) => "when the reader of the pipe has gone the agent ends in good order: see ConsoleOutputTests",
        _ => null,
    };

    /// <summary>True where the fault shows as trouble of the output, false where everything only takes its course.</summary>
    public virtual bool IsTold(OutputFault fault) => fault is not (OutputFault.TooLarge or OutputFault.Slow);

    public abstract IOutput NewOutput();

    /// <summary>The fault is in force from now on.</summary>
    public abstract void Begin(OutputFault fault);

    /// <summary>Everything is well from now on.</summary>
    public abstract void End();

    /// <summary>What has arrived so far, one text a record.</summary>
    public abstract IReadOnlyList<string> Taken();

    public abstract ValueTask DisposeAsync();
}
