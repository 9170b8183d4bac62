using System.CommandLine;
using System.Globalization;
using LogAgent.Configuration;
using LogAgent.Delivery;
using LogAgent.Outputs;

namespace LogAgent.Operations;

/// <summary>logagent dead-letters list | replay</summary>
internal static class DeadLettersCommand
{
    /// <summary>What a replay gives the outputs to deliver the last of it.</summary>
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(60);

    public static Command Create(CommandContext context)
    {
        Option<string?> config = CommandLine.ConfigOption();
        config.Recursive = true;
        Command list = new("list", "Prints what there is: for each output and reason the number of records, the oldest and the newest, and the files.");
        Command replay = new("replay", "Sends the records again, each to the output that refused it. What is delivered is removed, what is refused again stays.");
        list.SetAction(parsed => (int)List(context, parsed.GetValue(config)));
        replay.SetAction(async (parsed, cancel) => (int)await ReplayAsync(context, parsed.GetValue(config), cancel).ConfigureAwait(false));
        return new Command("dead-letters", "Records that an output refused for good: they stand with the reason in the state directory.")
        {
            config,
            list,
            replay,
        };
    }

    private static string DirectoryOf(AgentOptions options) => Path.Combine(options.StateDirectory, "dead-letters");

    private static ExitCode List(CommandContext context, string? path)
    {
        AgentConfiguration configuration = AgentConfiguration.Load(path, context.Environment, OutputFactory.ReadOptions);
        if (!CommandLine.IsGood(configuration, context))
        {
            return ExitCode.Usage;
        }

        DeadLetterFiles files = new(DirectoryOf(configuration.Options));
        Dictionary<(string Output, string Reason), Group> groups = [];
        try
        {
            foreach (DeadLetter letter in files.ReadAll())
            {
                (string, string) key = (letter.Output, letter.Reason);
                groups[key] = groups.TryGetValue(key, out Group? group)
                    ? group with { Count = group.Count + 1, Newest = letter.Time }
                    : new Group(1, letter.Time, letter.Time, letter.Detail);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            context.Error.WriteLine($"The dead letters in {files.Directory} cannot be read: {e.Message}");
            return ExitCode.Failed;
        }

        if (groups.Count == 0)
        {
            context.Output.WriteLine($"No dead letters in {files.Directory}.");
            return ExitCode.Ok;
        }

        foreach (((string output, string reason), Group group) in groups.OrderByDescending(group => group.Value.Count))
        {
            context.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{group.Count} records  output {output}  {reason}  from {group.Oldest:yyyy-MM-ddTHH:mm:ssZ} to {group.Newest:yyyy-MM-ddTHH:mm:ssZ}"));
            context.Output.WriteLine($"    {group.Detail}");
        }

        foreach (string file in files.Paths)
        {
            context.Output.WriteLine(file);
        }

        return ExitCode.Ok;
    }

    private static async Task<ExitCode> ReplayAsync(CommandContext context, string? path, CancellationToken cancel)
    {
        AgentConfiguration configuration = AgentConfiguration.Load(path, context.Environment, OutputFactory.ReadOptions);
        if (!CommandLine.IsGood(configuration, context))
        {
            return ExitCode.Usage;
        }

        AgentOptions options = configuration.Options;
        DeadLetterFiles files = new(DirectoryOf(options));
        if (files.Paths.Count == 0)
        {
            context.Output.WriteLine($"No dead letters in {files.Directory}.");
            return ExitCode.Ok;
        }

        using OwnLog log = new(options.Log, context.Environment);
        Ledger ledger = new();
        DocumentEncoder documents = new(options.Schema);
        DeadLetters rejectedAgain = new(files.Directory, options.DeadLetters, documents, ledger, context.Time, log.Loggers.CreateLogger<DeadLetters>());
        RunningOutputs outputs = new(documents, new Fanout(ledger), ledger, rejectedAgain, context.Time, log.Loggers);
        outputs.Set(options.Outputs, TimeSpan.Zero);
        DeadLetterReplayResult result;
        try
        {
            result = await new DeadLetterReplay(files).RunAsync(outputs.Find, _ => true, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            context.Error.WriteLine(e.Message);
            return ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            context.Error.WriteLine("Interrupted: what was not delivered stays in the dead letters.");
            return ExitCode.Failed;
        }
        finally
        {
            using CancellationTokenSource deadline = new(cancel.IsCancellationRequested ? TimeSpan.Zero : Drain, context.Time);
            await outputs.StopAsync(deadline.Token).ConfigureAwait(false);
        }

        long again = ledger.Snapshot().Outputs.Sum(output => output.RejectedTotal.Records);
        context.Output.WriteLine($"{result.Sent - again} delivered, {again} rejected again, {result.Kept} kept because no output of this configuration has their name, {result.Unreadable} unreadable lines dropped.");
        return again + result.Kept == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private sealed record Group(long Count, DateTimeOffset Oldest, DateTimeOffset Newest, string Detail);
}
