using LogAgent.Configuration;
using LogAgent.Delivery;

namespace LogAgent;

/// <summary>Builds and connects everything, in the order of the data.</summary>
internal sealed class Agent(AgentOptions options, ILoggerFactory loggers, TimeProvider time)
{
    /// <summary>Runs until cancelled and gives the exit code; a loop that fails unexpectedly makes it throw.</summary>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        loggers.CreateLogger<Agent>().LogWarning("Nothing is wired yet: {Outputs} outputs wait for records that nobody reads.", options.Outputs.Count);
        await Task.Delay(Timeout.InfiniteTimeSpan, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }

    /// <summary>Takes over a changed configuration that was found good.</summary>
    public void Reload(AgentOptions changed)
    {
    }

    /// <summary>Tries what the agent needs: the engine, the files, the outputs.</summary>
    public Task<IReadOnlyList<CheckResult>> CheckAsync(CancellationToken cancel) => Task.FromResult<IReadOnlyList<CheckResult>>([]);
}
