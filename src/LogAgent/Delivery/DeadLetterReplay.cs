using LogAgent.Tailing;
using Microsoft.Win32.SafeHandles;

namespace LogAgent.Delivery;

/// <summary>What a replay did.</summary>
/// <param name="Sent">Letters that are no longer on disk: delivered, or rejected once more and so a new letter.</param>
/// <param name="Kept">Letters that were not wanted, whose output is not configured, or that were not sent in time.</param>
/// <param name="Unreadable">Lines that are no letters; they are dropped with their file.</param>
internal readonly record struct DeadLetterReplayResult(long Sent, long Kept, long Unreadable);

/// <summary>
/// Sends dead letters again by ordinary workers: each letter becomes a batch whose record has its id of before, so that an
/// output that knows ids stores it once. A letter is removed when its batch is acknowledged; one that is rejected again is
/// written as a new letter by the worker first. It may run beside an agent that writes to the same directory.
/// </summary>
internal sealed class DeadLetterReplay(DeadLetterFiles files)
{
    /// <summary>Letters in memory at a time.</summary>
    private const int MostInFlight = 1000;

    /// <param name="workers">Gives the running worker for an output's name, or null where there is none. The caller starts and stops them.</param>
    /// <param name="wanted">Which letters to send; the others stay.</param>
    /// <param name="cancel">The letters in flight stay on disk; those of them that arrived are sent again by the next replay.</param>
    /// <exception cref="IOException">Another replay is running, or the files cannot be read or written; it says which.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<DeadLetterReplayResult> RunAsync(Func<string, OutputWorker?> workers, Func<DeadLetter, bool> wanted, CancellationToken cancel)
    {
        DeadLetterReplayResult result = default;
        IReadOnlyList<string> paths = files.Paths;
        if (paths.Count == 0)
        {
            return result;
        }

        using SafeFileHandle? alone = Durable.Lock(Path.Combine(files.Directory, ".replay-lock"), wait: false)
            ?? throw new IOException($"Another replay of {files.Directory} is running; wait until it has ended.");
        foreach (string path in paths)
        {
            cancel.ThrowIfCancellationRequested();
            string taken = files.Take(path);
            List<byte[]> kept = [];
            List<(DeadLetter Letter, OutputWorker Worker)> window = [];
            foreach (DeadLetter? letter in DeadLetterFiles.Read(taken))
            {
                if (letter is null)
                {
                    result = result with { Unreadable = result.Unreadable + 1 };
                }
                else if (wanted(letter) && workers(letter.Output) is { } worker)
                {
                    window.Add((letter, worker));
                    if (window.Count == MostInFlight)
                    {
                        result = await SendAsync(window, kept, result, cancel).ConfigureAwait(false);
                    }
                }
                else
                {
                    kept.Add(letter.Line);
                }
            }

            result = await SendAsync(window, kept, result, cancel).ConfigureAwait(false);
            files.Keep(taken, kept);
            result = result with { Kept = result.Kept + kept.Count };
        }

        return result;
    }

    private static async Task<DeadLetterReplayResult> SendAsync(List<(DeadLetter Letter, OutputWorker Worker)> window, List<byte[]> kept, DeadLetterReplayResult result, CancellationToken cancel)
    {
        List<Task<bool>> sends = [];
        foreach ((DeadLetter letter, OutputWorker worker) in window)
        {
            TaskCompletionSource<bool> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
            LogBatch batch = letter.ToBatch((_, acknowledged) => done.SetResult(acknowledged));
            sends.Add(done.Task);
            Amount amount = new(1, batch.Records[0].MessageLength);
            bool gap = (batch.Records[0].Flags & RecordFlags.Gap) != 0;
            worker.Ledger.Read(gap ? default : amount, default);
            batch.ExpectOutputs(1);
            worker.Enqueue(batch, amount, gap);
        }

        bool[] acknowledged = await Task.WhenAll(sends).WaitAsync(cancel).ConfigureAwait(false);
        for (int i = 0; i < acknowledged.Length; i++)
        {
            if (!acknowledged[i])
            {
                kept.Add(window[i].Letter.Line);
            }
        }

        window.Clear();
        return result with { Sent = result.Sent + acknowledged.Count(done => done) };
    }
}
