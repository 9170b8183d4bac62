using System.CommandLine;
using System.Globalization;
using System.Text;
using LogAgent.Configuration;
using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Tailing;

namespace LogAgent.Operations;

/// <summary>logagent dead-letters list | replay</summary>
internal static class DeadLettersCommand
{
    /// <summary>Where dead letters stand in the state directory.</summary>
    public const string DirectoryName = "dead-letters";

    /// <summary>What sends under way at the end of a replay have to come back.</summary>
    private static readonly TimeSpan EndingTime = TimeSpan.FromSeconds(2);

    public static Command Create(CommandContext context)
    {
        Option<string?> config = CommandLine.ConfigOption();
        config.Recursive = true;
        Option<string?> output = new("--output") { Description = "Only those of the output of this name.", HelpName = "NAME", Recursive = true };
        Option<string?> reason = new("--reason") { Description = "Only those with this reason, as list shows it.", HelpName = "REASON", Recursive = true };
        Option<bool> lines = new("--lines") { Description = "Print the dead letters themselves, oldest first: one JSON object a line, with the document, the reason and what the receiver said." };
        Option<int> wait = new("--wait") { Description = "How many seconds to try in all; what is not sent by then stays.", HelpName = "SECONDS", DefaultValueFactory = _ => 60 };
        Command list = new("list", "Prints what there is: for each output and reason the number of records, the oldest and the newest, and what the receiver said last.") { lines };
        Command replay = new("replay", "Sends the records again, each to the output that refused it; mend the cause first. What is delivered is removed, what is refused again stays. It may be run beside a running agent. Exit code 1: some are left.") { wait };
        list.SetAction((parsed, _) => Task.FromResult((int)List(context, parsed.GetValue(config), Wanted(parsed.GetValue(output), parsed.GetValue(reason)), parsed.GetValue(lines))));
        replay.SetAction(async (parsed, cancel) => (int)await ReplayAsync(
            context, parsed.GetValue(config), Wanted(parsed.GetValue(output), parsed.GetValue(reason)), TimeSpan.FromSeconds(parsed.GetValue(wait)), cancel).ConfigureAwait(false));
        return new Command("dead-letters", "Records that an output refused for good: they stand with the reason in the state directory.") { config, output, reason, list, replay };
    }

    private static Func<DeadLetter, bool> Wanted(string? output, string? reason) =>
        letter => (output is null || letter.Output == output) && (reason is null || letter.Reason == reason);

    private static ExitCode List(CommandContext context, string? path, Func<DeadLetter, bool> wanted, bool lines)
    {
        AgentConfiguration configuration = AgentConfiguration.Load(path, context.Environment, OutputFactory.ReadOptions);
        if (!CommandLine.IsGood(configuration, context))
        {
            return ExitCode.Usage;
        }

        string directory = Path.Combine(configuration.Options.StateDirectory, DirectoryName);
        try
        {
            Print(context, directory, new DeadLetterFiles(directory).ReadAll().Where(wanted), lines);
            return ExitCode.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            context.Error.WriteLine(Unreadable(directory, e));
            return ExitCode.Failed;
        }
    }

    private static void Print(CommandContext context, string directory, IEnumerable<DeadLetter> letters, bool lines)
    {
        if (lines)
        {
            foreach (DeadLetter letter in letters)
            {
                context.Output.WriteLine(Encoding.UTF8.GetString(letter.Line));
            }

            return;
        }

        Dictionary<(string Output, string Reason), (long Count, DateTimeOffset Oldest, DateTimeOffset Newest, string Detail)> groups = [];
        foreach (DeadLetter letter in letters)
        {
            (string, string) key = (letter.Output, letter.Reason);
            groups[key] = groups.TryGetValue(key, out var known)
                ? (known.Count + 1, known.Oldest < letter.Time ? known.Oldest : letter.Time, known.Newest > letter.Time ? known.Newest : letter.Time, letter.Detail)
                : (1, letter.Time, letter.Time, letter.Detail);
        }

        foreach (((string output, string reason), (long count, DateTimeOffset oldest, DateTimeOffset newest, string detail)) in groups.OrderByDescending(group => group.Value.Count))
        {
            context.Output.WriteLine($"{output}: {Count(count, "record")} refused as {reason}, from {Time(oldest)} to {Time(newest)}");
            context.Output.WriteLine($"    the last: {detail.ReplaceLineEndings(" ")}");
        }

        context.Output.WriteLine(groups.Count == 0 ? $"There are no such dead letters in {directory}." : $"They stand in {directory}.");
    }

    private static async Task<ExitCode> ReplayAsync(CommandContext context, string? path, Func<DeadLetter, bool> wanted, TimeSpan wait, CancellationToken cancel)
    {
        AgentConfiguration configuration = AgentConfiguration.Load(path, context.Environment, OutputFactory.ReadOptions);
        if (!CommandLine.IsGood(configuration, context))
        {
            return ExitCode.Usage;
        }

        string directory = Path.Combine(configuration.Options.StateDirectory, DirectoryName);
        using OwnLog log = new(configuration.Options.Log with { Level = LogDetail.Warning }, context.Environment);
        Ledger ledger = new();
        DocumentEncoder documents = new(configuration.Options.Schema);

        // What is refused again becomes a new letter: the old one is removed.
        DeadLetters again = new(directory, configuration.Options.DeadLetters, documents, ledger, context.Time, log.Loggers.CreateLogger<DeadLetters>());
        MemoryBudget budget = new(configuration.Options.Limits.Memory);
        RunningOutputs outputs = new(documents, new Fanout(ledger, budget), ledger, budget, again, context.Time, log.Loggers);

        // Without skip_after: what an output skips is acknowledged, and its letter would be removed.
        outputs.Set([.. configuration.Options.Outputs.Select(output => output with { SkipAfter = null })], TimeSpan.Zero);
        SortedSet<string> unknown = new(StringComparer.Ordinal);
        OutputWorker? Find(string name)
        {
            OutputWorker? found = outputs.Find(name);
            if (found is null)
            {
                unknown.Add(name);
            }

            return found;
        }

        using CancellationTokenSource deadline = new(wait, context.Time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
        long unreadable = 0;
        try
        {
            unreadable = (await new DeadLetterReplay(new DeadLetterFiles(directory)).RunAsync(Find, wanted, either.Token).ConfigureAwait(false)).Unreadable;
        }
        catch (OperationCanceledException)
        {
            context.Error.WriteLine($"Not everything could be sent within {wait.TotalSeconds} s. What was not delivered stays; what the outputs said is above.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            context.Error.WriteLine(Unreadable(directory, e));
            return ExitCode.Failed;
        }
        finally
        {
            using CancellationTokenSource ending = new(EndingTime, context.Time);
            await outputs.StopAsync(ending.Token).ConfigureAwait(false);
        }

        LedgerSnapshot counted = ledger.Snapshot();
        long left = new DeadLetterFiles(directory).ReadAll().LongCount(wanted);
        foreach (string name in unknown)
        {
            context.Error.WriteLine($"There are dead letters of an output '{name}', which is not configured: they stay. Give an output that name to have them sent there.");
        }

        context.Output.WriteLine($"{Count(counted.Outputs.Sum(output => output.Acknowledged.Records), "record")} delivered, {counted.Outputs.Sum(output => output.RejectedTotal.Records)} refused again, {left} left in {directory}.");
        if (unreadable > 0)
        {
            context.Error.WriteLine($"{Count(unreadable, "line")} could not be read (torn by a crash, or changed by someone) and were dropped.");
        }

        return left == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private static string Unreadable(string directory, Exception e) =>
        $"The dead letters in {directory} cannot be read: {e.Message} Run the command as the agent's user or as root.";

    private static string Count(long count, string what) => $"{count.ToString(CultureInfo.InvariantCulture)} {what}{(count == 1 ? "" : "s")}";

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
