using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent.Outputs;

/// <summary>
/// Writes documents to a file, one JSON line each; delivered means written and synced to disk. After a crash half a line is cut
/// off; whole lines of a group that was not yet acknowledged are there twice.
/// </summary>
internal sealed class FileOutput(string name, FileOutputOptions options, DocumentEncoder documents, TimeProvider time) : IOutput
{
    private readonly RotatedFile _file = new(options, time);
    private readonly ByteBuffer _buffer = new(256 * 1024);

    public string Name => name;

    /// <summary>Each group costs a sync of the disk: they are large.</summary>
    public SendLimits Limits { get; } = new() { GroupBytes = 4 << 20, GroupRecords = 20_000 };

    public Task<SendResult> SendAsync(RecordGroup group, CancellationToken cancel)
    {
        _buffer.Clear();
        foreach (RecordRun run in group.Runs)
        {
            foreach (ref readonly LogRecord record in run.Batch.Records.Slice(run.Start, run.Count))
            {
                documents.Write(_buffer, run.Batch, record, group.MessageLimit);
                _buffer.Write("\n"u8);
            }
        }

        try
        {
            _file.Append(_buffer.Written);
            return Task.FromResult(SendResult.Delivered);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SendException(SendTrouble.Refused, $"{options.Path} cannot be written: {failure.Message} Make room, or mend the path or its permissions.", failure);
        }
    }

    public Task<IReadOnlyList<CheckResult>> CheckAsync(CancellationToken cancel)
    {
        string directory = Path.GetDirectoryName(options.Path)!;
        CheckResult result;
        try
        {
            Directory.CreateDirectory(directory);
            if (File.Exists(options.Path))
            {
                File.OpenHandle(options.Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete).Dispose();
            }

            string trial = Path.Combine(directory, $".{Path.GetFileName(options.Path)}.check");
            File.WriteAllText(trial, "");
            File.Delete(trial);
            result = new(true, name, $"{options.Path} can be written.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            result = new(false, name, $"{options.Path} cannot be written: {failure.Message} Mend the path or its permissions (outputs: path).");
        }

        return Task.FromResult<IReadOnlyList<CheckResult>>([result]);
    }

    public ValueTask DisposeAsync()
    {
        _file.Dispose();
        _buffer.Dispose();
        return ValueTask.CompletedTask;
    }
}
