namespace LogAgent.IntegrationTests.Support;

/// <summary>
/// SIGKILL on entering a system call, by strace: the call is not made any more, all before it has been. strace traces from a
/// process of its own (-D), so that the agent is the child of the test and its exit code is its own.
/// </summary>
/// <param name="Calls">Names of system calls with commas between; the first to reach its number is the last.</param>
/// <param name="Path">Only calls on this file, by its name or a handle to it; null: on any.</param>
internal sealed record KillPoint(string Calls, string? Path = null)
{
    /// <summary>The command in front of the agent.</summary>
    /// <param name="number">At which call, from 1; strace counts for each thread.</param>
    /// <param name="trace">Where the calls are written: the last one tells where the agent died.</param>
    public string[] Wrapper(int number, string trace) =>
    [
        "strace", "-D", "-f", "-qq", "-o", trace, "-e", "signal=kill", "-e", $"trace={Calls}", "-e", $"inject={Calls}:signal=KILL:when={number}",
        .. Path is null ? Array.Empty<string>() : ["-P", Path],
    ];
}
