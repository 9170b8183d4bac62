namespace LogAgent.IntegrationTests.Support;

/// <summary>
/// Writes to every container of a tree until it is stopped, and rotates them. A generation is rotated away only after what the
/// one before it holds has arrived, so that an agent which is down or slow loses nothing that it could not have read.
/// </summary>
internal sealed class LoadWriter : IAsyncDisposable
{
    private const int LinesAtOnce = 100;

    private readonly CancellationTokenSource _stop = new();
    private readonly DockerTree _tree;
    private readonly Func<string, long> _arrived;
    private readonly int _linesPerGeneration;
    private readonly TimeSpan _pause;
    private readonly Task _task;

    /// <param name="arrived">How many different lines of a container have arrived so far.</param>
    /// <param name="linesPerGeneration">When a log is rotated.</param>
    /// <param name="pause">Between two times that it writes to each container.</param>
    public LoadWriter(DockerTree tree, Func<string, long> arrived, int linesPerGeneration = 2000, TimeSpan? pause = null)
    {
        _pause = pause ?? TimeSpan.FromMilliseconds(20);
        _tree = tree;
        _arrived = arrived;
        _linesPerGeneration = linesPerGeneration;
        _task = Task.Run(WriteAsync);
    }

    /// <summary>Ends the writing; what was written is then final.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _task;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task WriteAsync()
    {
        var started = new Dictionary<FakeContainer, long>();
        while (!_stop.IsCancellationRequested)
        {
            foreach (FakeContainer container in _tree.All)
            {
                long current = started.GetValueOrDefault(container);
                if (container.Written - current >= _linesPerGeneration)
                {
                    if (_arrived(container.Name) < current)
                    {
                        continue; // behind: the log may not grow for ever either
                    }

                    container.Rotate();
                    started[container] = container.Written;
                }

                container.WriteSequence(LinesAtOnce, "and some words of an application that has something to say");
            }

            await Task.Delay(_pause, TimeProvider.System);
        }
    }
}
