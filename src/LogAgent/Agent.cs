using System.Globalization;
using LogAgent.Configuration;
using LogAgent.Containers;
using LogAgent.Delivery;
using LogAgent.Enrichment;
using LogAgent.Operations;
using LogAgent.Outputs;
using LogAgent.Tailing;
using LogAgent.Tailing.Checkpoints;

namespace LogAgent;

/// <summary>
/// Builds and connects everything, in the order of the data, runs it, and stops it in the same order: first nothing new is
/// found or read, then what was read is delivered, then the last checkpoint is written.
/// </summary>
internal sealed partial class Agent(AgentOptions options, IReadOnlyDictionary<string, string> environment, ILoggerFactory loggers, TimeProvider time)
{
    /// <summary>What abandoned sends have to come back, and files to be closed, after the drain.</summary>
    private static readonly TimeSpan EndingTime = TimeSpan.FromSeconds(3);

    /// <summary>Twice the time in which all containers and files are looked for again.</summary>
    private const int FoundSeconds = 60;

    private readonly ILogger<Agent> _logger = loggers.CreateLogger<Agent>();
    private readonly Lock _gate = new();
    private AgentOptions _options = options;
    private RunningOutputs? _outputs;
    private FileTargets? _files;
    private ContainerTargets? _containers;

    /// <summary>Runs until cancelled and gives the exit code; a loop that fails unexpectedly makes it throw.</summary>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        using StateDirectory? state = StateDirectory.TryOpen(_options.StateDirectory, out string problem);
        if (state is null)
        {
            LogCannotStart(problem);
            return (int)ExitCode.Failed;
        }

        CheckpointStore store = new(state.Path);
        bool firstStart = !File.Exists(store.FilePath);
        Ledger ledger = new();
        MemoryBudget budget = new(_options.Limits.Memory);
        Fanout fanout = new(ledger, budget);
        TailNotices notices = new(ledger, time, loggers.CreateLogger<TailNotices>());
        TailLoop tail;
        try
        {
            tail = new TailLoop(TailOptionsOf(_options), store, budget, time, fanout.Emit, notices.Take, fanout.HasRoom);
            fanout.RoomMade += tail.RoomMade;
        }
        catch (NewerCheckpointsException e)
        {
            LogCannotStart(e.Message);
            return (int)ExitCode.Usage;
        }

        using (tail)
        {
            return await RunAsync(state, tail, ledger, budget, fanout, firstStart, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Takes over a changed configuration that was found good. Called while it runs, one call at a time.</summary>
    /// <returns>Null where it is in force; else a sentence why it is refused as a whole.</returns>
    public string? Reload(AgentOptions changed)
    {
        lock (_gate)
        {
            if (_outputs is null)
            {
                return "The agent does not run yet.";
            }

            if (changed.RestartDigest != _options.RestartDigest)
            {
                return "A key was changed that is read only at the start. While the agent runs, these can be changed: outputs, files, fields, cluster, host, drain, log.level, and include, exclude, labels, files, start_at of docker. Restart the agent to have the change in force.";
            }

            ContainerFields fields = new(EnrichmentOf(changed));
            _outputs.Set(changed.Outputs, changed.Drain);
            _files!.Configure(changed.Files, fields);
            _containers!.Configure(changed.Docker, fields);
            _options = changed;
            return null;
        }
    }

    /// <summary>Tries what the agent needs: the engine, the files, the outputs.</summary>
    public async Task<IReadOnlyList<CheckResult>> CheckAsync(CancellationToken cancel)
    {
        List<CheckResult> results = [.. await ContainerChecks.RunAsync(_options.Docker, environment.GetValueOrDefault, time, cancel).ConfigureAwait(false)];
        DocumentEncoder documents = new(_options.Schema);
        foreach (OutputSection section in _options.Outputs)
        {
            IOutput output = OutputFactory.Create(section, documents, time, loggers, _options.Limits.Memory);
            await using (output.ConfigureAwait(false))
            {
                results.AddRange(await output.CheckAsync(cancel).ConfigureAwait(false));
            }
        }

        return results;
    }

    private async Task<int> RunAsync(StateDirectory state, TailLoop tail, Ledger ledger, MemoryBudget budget, Fanout fanout, bool firstStart, CancellationToken stop)
    {
        DocumentEncoder documents = new(_options.Schema);
        DeadLetters deadLetters = new(Path.Combine(state.Path, "dead-letters"), _options.DeadLetters, documents, ledger, time, loggers.CreateLogger<DeadLetters>());
        RunningOutputs outputs = new(documents, fanout, ledger, budget, deadLetters, time, loggers);
        ContainerFields fields = new(EnrichmentOf(_options));
        FileTargets files = new(_options.Files, fields, firstStart, tail.Set, tail.Remove, time, loggers.CreateLogger<FileTargets>());
        string? ownContainer = OwnContainer.Find();
        ContainerTargets containers = new(_options.Docker, fields, files, ownContainer, firstStart, tail.Set, tail.Remove, time, loggers.CreateLogger<ContainerTargets>());
        Sidecar? sidecar = SidecarOptions.FromEnvironment(environment.GetValueOrDefault) is { } shared
            ? new Sidecar(shared, fields, files, ownContainer, loggers.CreateLogger<Sidecar>())
            : null;
        sidecar?.Begin();
        ContainerDiscovery discovery = new(_options.Docker, environment.GetValueOrDefault, containers, tail.Hold, ledger.ContainerMissed, time, loggers, sidecar);
        Progress progress = new(ledger, tail, time);
        SystemdNotify notify = new(environment);
        ServiceLoop service = new(notify, () => StatusLine(ledger, tail, progress), () => progress.Health.Ok, time);

        using CancellationTokenSource reading = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using CancellationTokenSource serving = new();
        outputs.Set(_options.Outputs, _options.Drain);
        lock (_gate)
        {
            _outputs = outputs;
            _files = files;
            _containers = containers;
        }

        List<Task> loops = [Task.Run(() => discovery.RunAsync(reading.Token), CancellationToken.None), Task.Run(() => files.RunAsync(reading.Token), CancellationToken.None), tail.RunAsync(reading.Token)];
        List<Task> services = [service.RunAsync(serving.Token), SampleAsync(progress, serving.Token), RemoveUnclaimedAsync(discovery, tail, containers, fields.ForFile(new Dictionary<string, string>(), new Dictionary<string, string>()), serving.Token)];
        if (_options.Metrics.Listen is { } address)
        {
            MetricsPage page = new(new ProcessMetrics(time.GetUtcNow()).Read, new AgentMetrics(ledger, tail, budget, progress, () => containers.Count).Read);
            services.Add(new HttpResponder(address, OperationsPages.Of(page, () => progress.Health, () => Ready(ledger, discovery)), time, loggers.CreateLogger<HttpResponder>()).RunAsync(serving.Token));
        }

        notify.Ready(StatusLine(ledger, tail, progress));
        Exception? failure = await FirstFailureAsync([.. loops, .. services], outputs.Failed, stop).ConfigureAwait(false);
        notify.Stopping("Delivers what was read.");
        if (failure is null)
        {
            LogStops(_options.Drain);
        }

        await reading.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(loops).WaitAsync(EndingTime, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        using (CancellationTokenSource deadline = new(failure is null ? _options.Drain : TimeSpan.Zero, time))
        {
            await outputs.StopAsync(deadline.Token).ConfigureAwait(false);
        }

        using (CancellationTokenSource ending = new(EndingTime, time))
        {
            await tail.DrainAsync(ending.Token).ConfigureAwait(false);
            bool delivered = ledger.Snapshot().Outputs.All(output => output.InFlight.Records == 0);
            LogStopped(delivered ? "everything that was read is delivered" : "what was not delivered is read again at the next start");
        }

        await serving.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(services).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Result(failure);
    }

    private static int Result(Exception? failure) => failure switch
    {
        null or OutputClosedException => (int)ExitCode.Ok,
        _ => throw new InvalidOperationException(failure.Message, failure),
    };

    /// <summary>Waits for the stop, or for the first loop that fails: invariant I5.</summary>
    private static async Task<Exception?> FirstFailureAsync(Task[] loops, Task outputsFailed, CancellationToken stop)
    {
        TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = stop.Register(stopped.SetResult);
        List<Task> watched = [.. loops, outputsFailed, stopped.Task];
        while (true)
        {
            Task first = await Task.WhenAny(watched).ConfigureAwait(false);
            if (first == stopped.Task || stop.IsCancellationRequested)
            {
                return null;
            }

            if (first.IsFaulted)
            {
                return first.Exception.InnerException;
            }

            // A loop with nothing to do, such as the discovery of no containers, has ended well.
            watched.Remove(first);
        }
    }

    private async Task SampleAsync(Progress progress, CancellationToken stop)
    {
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(1), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false))
            {
                progress.Sample();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>What went away while the agent was down: nobody has claimed it when containers and files have been found for a while.</summary>
    private async Task RemoveUnclaimedAsync(ContainerDiscovery discovery, TailLoop tail, ContainerTargets containers, FieldSet fields, CancellationToken stop)
    {
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(1), time);
        try
        {
            for (int found = 0; found < FoundSeconds && await timer.WaitForNextTickAsync(stop).ConfigureAwait(false);)
            {
                found = discovery.IsConnected ? found + 1 : 0;
            }

            tail.RemoveUnclaimed(fields, id => containers.IsThere(id) || FileTargets.IsThere(id));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private Health Ready(Ledger ledger, ContainerDiscovery discovery)
    {
        List<string> wrong = [.. ledger.Snapshot().Outputs.Where(output => !output.State.Up).Select(output => $"Output {output.Name} takes nothing: {output.State.LastError}")];
        if (!discovery.IsConnected)
        {
            wrong.Add("Containers cannot be found at the moment; see the agent's log.");
        }

        return wrong.Count == 0 ? new Health(true, "Every output takes records.") : new Health(false, string.Join(' ', wrong));
    }

    private static string StatusLine(Ledger ledger, TailLoop tail, Progress progress)
    {
        LedgerSnapshot counted = ledger.Snapshot();
        string down = string.Join(", ", counted.Outputs.Where(output => !output.State.Up).Select(output => output.Name));
        return string.Create(CultureInfo.InvariantCulture, $"{progress.Rate:F0} records/s, {tail.Files.Sum(file => file.Lag) >> 10} KiB behind, {counted.Outputs.Sum(output => output.InFlight.Records)} in flight{(down.Length > 0 ? $", down: {down}" : "")}");
    }

    private TailOptions TailOptionsOf(AgentOptions options)
    {
        int files = HandleLimit.LogFiles(options.Limits.OpenFiles, HandleLimit.Read());
        if (files < options.Limits.OpenFiles)
        {
            LogFewHandles(options.Limits.OpenFiles, files);
        }

        return new() { RecordLimit = options.Limits.Record, OpenFiles = files };
    }

    private EnrichmentOptions EnrichmentOf(AgentOptions options) => new()
    {
        Host = options.Host.Length > 0 ? options.Host : Environment.MachineName,
        Cluster = options.Cluster,
        Fields = options.Fields,
        Flat = options.Schema == Schema.Flat,
        LabelsAllow = options.Docker.LabelsAllow,
        LabelsDeny = options.Docker.LabelsDeny,
    };

    [LoggerMessage(LogLevel.Critical, "The agent cannot start: {Problem}")]
    private partial void LogCannotStart(string problem);

    [LoggerMessage(LogLevel.Warning, "limits.open_files is {Wanted}, but the limit of handles of this process leaves {Files} for log files: no more are held open at once, nothing is lost. A higher limit (LimitNOFILE, --ulimit nofile) spares opening files again and again.")]
    private partial void LogFewHandles(int wanted, int files);

    [LoggerMessage(LogLevel.Information, "The agent stops: it delivers what was read, for at most {Drain}.")]
    private partial void LogStops(TimeSpan drain);

    [LoggerMessage(LogLevel.Information, "The agent has stopped: {Outcome}.")]
    private partial void LogStopped(string outcome);
}
