using LogAgent.Configuration;
using LogAgent.Enrichment;
using LogAgent.Tailing;

namespace LogAgent.Containers;

/// <summary>Log files on the host: those that the configuration names, and those that containers claim.</summary>
internal sealed partial class FileTargets
{
    private readonly TimeProvider _time;

    public FileTargets(IReadOnlyList<FilesOptions> rules, ContainerFields fields, bool firstStart, Action<TailTarget> set, Action<string> remove, TimeProvider time, ILogger<FileTargets> logger)
    {
        _time = time;
        _ = (rules, fields, firstStart, set, remove, logger);
    }

    /// <summary>Adds or replaces a claim. Any thread.</summary>
    public void Claim(FileClaim claim)
    {
        _ = claim;
    }

    /// <summary>Drops a claim. Any thread.</summary>
    public void Release(string claimId)
    {
        _ = claimId;
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel) => await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
