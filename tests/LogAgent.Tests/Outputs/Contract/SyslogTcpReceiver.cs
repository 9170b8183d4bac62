using System.Collections.Concurrent;
using LogAgent.Delivery;
using LogAgent.Outputs.Syslog;
using LogAgent.Tests.Outputs.Syslog;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Outputs.Contract;

internal sealed class SyslogTcpReceiver : OutputReceiver
{
    private readonly SyslogReceiver _receiver = new();
    private readonly ConcurrentQueue<string> _taken = new();

    public SyslogTcpReceiver() => _ = TakeAsync();

    /// <summary>More than the sockets' buffers of both ends.</summary>
    public override int HangBytes => 24 << 20;

    // What an abandoned connection still holds is read beside the new one.
    public override bool KeepsOrder(OutputFault? fault) => fault != OutputFault.Hang;

    public override bool IsTold(OutputFault fault) => fault is OutputFault.Hang or OutputFault.Reset;

    public override IOutput NewOutput() => new SyslogOutput(
        new() { Targets = [new("localhost", _receiver.Port)], MaxMessage = LargestMessage, Oversize = SyslogOversize.Truncate, Timeout = TimeSpan.FromSeconds(2) },
        TimeProvider.System,
        NullLogger.Instance);

    public override void Begin(OutputFault fault)
    {
        switch (fault)
        {
            case OutputFault.Garbage:
                _receiver.Talks = true;
                break;
            case OutputFault.Hang:
                _receiver.Hangs = true;
                break;
            case OutputFault.Reset:
                _receiver.Stop();
                break;
            case OutputFault.Slow:
                _receiver.Pause = TimeSpan.FromMilliseconds(5);
                break;
        }
    }

    public override void End()
    {
        _receiver.Pause = TimeSpan.Zero;
        _receiver.Talks = false;
        _receiver.Hangs = false;
        if (!_receiver.Listens)
        {
            _receiver.Start();
        }
    }

    public override IReadOnlyList<string> Taken() => [.. _taken];

    public override ValueTask DisposeAsync()
    {
        _receiver.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task TakeAsync()
    {
        while (true)
        {
            _taken.Enqueue(await _receiver.NextAsync());
        }
    }
}
