using System.Diagnostics;
using System.Text;

namespace LogAgent.IntegrationTests.Support;

/// <summary>Writes to one container at a steady rate, whatever the agent does, and rotates its log by time or by size.</summary>
/// <param name="container">Written by nobody else meanwhile.</param>
/// <param name="bytesPerSecond">Bytes of the log file.</param>
internal sealed class RateWriter(FakeContainer container, long bytesPerSecond)
{
    private const int LinesAtOnce = 64;

    // Few long lines rather than many short ones: the oracle keeps each number.
    private static readonly byte[] Rest = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("words of an application that has much to say; ", 85)));

    /// <summary>Rotates when so much time has passed since the last rotation.</summary>
    public TimeSpan? RotateEvery { get; init; }

    /// <summary>Rotates when the log has become so large.</summary>
    public long RotateAt { get; init; } = long.MaxValue;

    public long Bytes { get; private set; }

    public int Rotations { get; private set; }

    /// <summary>The rate that was reached.</summary>
    public double MegabytesPerSecond { get; private set; }

    /// <summary>Writes for so long, on a thread of its own.</summary>
    public Task RunAsync(TimeSpan length) => Task.Factory.StartNew(() => Run(length), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();

    private async Task Run(TimeSpan length)
    {
        var clock = Stopwatch.StartNew();
        TimeSpan rotated = TimeSpan.Zero;
        while (clock.Elapsed < length)
        {
            long before = container.LogBytes;
            container.WriteSequenceFast(LinesAtOnce, Rest);
            Bytes += container.LogBytes - before;
            if (clock.Elapsed - rotated > RotateEvery || container.LogBytes > RotateAt)
            {
                container.Rotate();
                Rotations++;
                rotated = clock.Elapsed;
            }

            if (Bytes > bytesPerSecond * clock.Elapsed.TotalSeconds)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            }
        }

        MegabytesPerSecond = Bytes / clock.Elapsed.TotalSeconds / 1e6;
    }
}
