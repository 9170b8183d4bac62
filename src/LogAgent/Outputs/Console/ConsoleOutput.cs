using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent.Outputs;

/// <summary>
/// Prints records to standard output; delivered means that the terminal, pipe or file behind it has taken them. When the reader
/// of the pipe ends, so does the agent, in good order (<see cref="OutputClosedException"/>).
/// </summary>
internal sealed class ConsoleOutput : IOutput
{
    private readonly StandardOutput _standard;
    private readonly DocumentEncoder? _documents;
    private readonly ConsoleEncoder _lines;
    private readonly ByteBuffer _buffer = new(256 * 1024);

    /// <param name="name">The configured name, or "console".</param>
    /// <param name="documents">For format json.</param>
    /// <param name="time">For the local time zone.</param>
    /// <param name="descriptor">Where to write: standard output.</param>
    public ConsoleOutput(string name, ConsoleOptions options, DocumentEncoder documents, TimeProvider time, int descriptor = 1)
    {
        Name = name;
        _standard = new(descriptor);
        _documents = options.Format == ConsoleFormat.Json ? documents : null;
        bool colour = options.Colour == ConsoleColour.Always
            || (options.Colour == ConsoleColour.Auto && _standard.IsTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")));
        _lines = new(colour, time.LocalTimeZone);
    }

    public string Name { get; }

    /// <summary>What is there is shown at once; while it is being written, the next group gathers.</summary>
    public SendLimits Limits { get; } = new() { GroupBytes = 1 << 20, GroupRecords = 20_000, GroupAge = TimeSpan.Zero };

    /// <summary>On a thread of the pool, since a slow reader blocks it.</summary>
    public Task<SendResult> SendAsync(RecordGroup group, CancellationToken cancel) => Task.Run(() => Send(group), cancel);

    public Task<IReadOnlyList<CheckResult>> CheckAsync(CancellationToken cancel) =>
        Task.FromResult<IReadOnlyList<CheckResult>>([new(true, Name, "Records are printed to standard output.")]);

    public ValueTask DisposeAsync()
    {
        _lines.Dispose();
        _buffer.Dispose();
        return ValueTask.CompletedTask;
    }

    private SendResult Send(RecordGroup group)
    {
        _buffer.Clear();
        if (_documents is null)
        {
            _lines.Write(_buffer, group);
        }
        else
        {
            foreach (RecordRun run in group.Runs)
            {
                foreach (ref readonly LogRecord record in run.Batch.Records.Slice(run.Start, run.Count))
                {
                    _documents.Write(_buffer, run.Batch, record, group.MessageLimit);
                    _buffer.Write("\n"u8);
                }
            }
        }

        _standard.Write(_buffer.Written);
        return SendResult.Delivered;
    }
}
