namespace LogAgent.Operations;

/// <summary>
/// Runs the agent as the host's one service. However it ends, the process ends with it, and with a code that says how
/// (invariant I5: an exception in a hosted service alone would end the process with 0).
/// </summary>
/// <param name="run">Runs until cancelled and gives the exit code.</param>
/// <param name="reload">Called at SIGHUP, one call at a time.</param>
/// <param name="hangUp">The signal; owned by the caller.</param>
internal sealed class AgentService(Func<CancellationToken, Task<int>> run, Action reload, HangUp hangUp, ILogger logger) : BackgroundService
{
    private readonly Lock _reloading = new();

    /// <summary>How the agent ended; failed until it has.</summary>
    public ExitCode Code { get; private set; } = ExitCode.Failed;

    /// <summary>Called when the agent has ended.</summary>
    public Action Ended { get; set; } = () => { };

    /// <summary>Reads the configuration again, as SIGHUP does. It never throws.</summary>
    public void Reload()
    {
        lock (_reloading)
        {
            try
            {
                reload();
            }
            catch (Exception e)
            {
                logger.LogError(e, "The configuration could not be taken over. The agent goes on; restart it if what was changed is not in force.");
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        hangUp.Answer(Reload);
        try
        {
            Code = (ExitCode)await run(stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            Code = ExitCode.Ok;
        }
        catch (Exception e)
        {
            logger.LogCritical(e, "The agent ends because a part of it failed unexpectedly: {Reason}. What was not acknowledged is read again at the next start.", e.Message);
            Code = ExitCode.Failed;
        }
        finally
        {
            Ended();
        }
    }
}
