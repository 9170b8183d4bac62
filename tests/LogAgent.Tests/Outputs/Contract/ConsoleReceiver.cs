using System.Collections.Concurrent;
using System.IO.Pipes;
using LogAgent.Delivery;
using LogAgent.Outputs;

namespace LogAgent.Tests.Outputs.Contract;

/// <summary>The reader of the pipe that the console's records go to.</summary>
internal sealed class ConsoleReceiver : OutputReceiver
{
    private readonly AnonymousPipeServerStream _writer = new(PipeDirection.Out);
    private readonly AnonymousPipeClientStream _reader;
    private readonly ConcurrentQueue<string> _taken = new();
    private readonly ManualResetEventSlim _goesOn = new(true);
    private readonly Thread _thread;
    private volatile bool _slow;

    public ConsoleReceiver()
    {
        _reader = new(PipeDirection.In, _writer.GetClientHandleAsString());
        _thread = new(Take) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>More than the pipe holds.</summary>
    public override int HangBytes => 1 << 20;

    public override bool IsTold(OutputFault fault) => false;

    public override IOutput NewOutput() => new ConsoleOutput("console", new() { Format = ConsoleFormat.Json }, new(Schema.Ecs), TimeProvider.System, (int)_writer.SafePipeHandle.DangerousGetHandle());

    public override void Begin(OutputFault fault)
    {
        _slow = fault == OutputFault.Slow;
        if (fault == OutputFault.Hang)
        {
            _goesOn.Reset();
        }
    }

    public override void End()
    {
        _slow = false;
        _goesOn.Set();
    }

    public override IReadOnlyList<string> Taken() => [.. _taken];

    public override ValueTask DisposeAsync()
    {
        _goesOn.Set();
        _writer.Dispose();
        _thread.Join();
        _reader.Dispose();
        _goesOn.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Take()
    {
        using StreamReader lines = new(_reader, bufferSize: 128);
        using ManualResetEventSlim never = new();
        while (true)
        {
            _goesOn.Wait();
            if (_slow)
            {
                never.Wait(5);
            }

            if (lines.ReadLine() is not { } line)
            {
                return;
            }

            _taken.Enqueue(line);
        }
    }
}
