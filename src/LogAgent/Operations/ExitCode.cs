namespace LogAgent.Operations;

/// <summary>The exit codes of every command.</summary>
internal enum ExitCode
{
    /// <summary>Done. For run: stopped because it was asked to.</summary>
    Ok = 0,

    /// <summary>It failed, or what was asked is not so: a check failed, the agent is not healthy, a dead letter could not be sent.</summary>
    Failed = 1,

    /// <summary>Wrong usage, a configuration with errors, or a state directory of a later version: trying again without a change gives the same.</summary>
    Usage = 2,
}
