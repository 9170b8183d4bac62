namespace LogAgent.Operations;

/// <summary>The generic host around the agent: signals and the time that a stop may take. Nothing else of it is used.</summary>
internal static class AgentHost
{
    /// <summary>What ending may take beyond the drain: closing outputs, the last checkpoint.</summary>
    private static readonly TimeSpan EndingTime = TimeSpan.FromSeconds(8);

    public static async Task<ExitCode> RunAsync(AgentService service, ILoggerFactory loggers, TimeSpan drain)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "logagent" });
        builder.Services.AddSingleton(loggers);
        builder.Services.Configure<ConsoleLifetimeOptions>(options => options.SuppressStatusMessages = true);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = drain + EndingTime);
        builder.Services.AddSingleton<IHostedService>(service);
        using IHost host = builder.Build();
        service.Ended = host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication;
        try
        {
            await host.RunAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            loggers.CreateLogger("LogAgent.Run").LogError(
                "The agent did not stop within {Seconds} s and is ended. Nothing is lost: what was not acknowledged is read again at the next start.",
                (drain + EndingTime).TotalSeconds);
            return ExitCode.Failed;
        }

        return service.Code;
    }
}
