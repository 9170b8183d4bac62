using LogAgent.Operations;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Operations;

/// <summary>I5: a loop that fails unexpectedly ends the process with a code that is not 0.</summary>
public class AgentServiceTests
{
    [Fact]
    public async Task An_agent_that_fails_ends_the_process_with_1() =>
        Assert.Equal(ExitCode.Failed, await Run(_ => throw new InvalidOperationException("broken")));

    [Fact]
    public async Task An_agent_that_ends_by_itself_ends_the_process_with_its_code() =>
        Assert.Equal(ExitCode.Usage, await Run(_ => Task.FromResult(2)));

    [Fact]
    public async Task A_cancelled_operation_without_a_stop_is_a_failure() =>
        Assert.Equal(ExitCode.Failed, await Run(_ => throw new OperationCanceledException()));

    [Fact]
    public void A_reload_that_fails_does_not_end_the_agent()
    {
        using HangUp hangUp = new();
        using AgentService service = new(_ => Task.FromResult(0), () => throw new InvalidOperationException("broken"), hangUp, NullLogger.Instance);
        service.Reload();
    }

    [Fact]
    public void A_hang_up_before_there_is_an_agent_is_answered_when_there_is_one()
    {
        using HangUp hangUp = new();
        int reloads = 0;
        hangUp.Raise();
        hangUp.Raise();
        hangUp.Answer(() => reloads++);
        Assert.Equal(1, reloads);
        hangUp.Raise();
        Assert.Equal(2, reloads);
    }

    private static async Task<ExitCode> Run(Func<CancellationToken, Task<int>> run)
    {
        using HangUp hangUp = new();
        AgentService service = new(run, () => { }, hangUp, NullLogger.Instance);
        return await AgentHost.RunAsync(service, NullLoggerFactory.Instance, TimeSpan.Zero);
    }
}
