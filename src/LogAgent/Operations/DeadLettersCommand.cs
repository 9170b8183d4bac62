using System.CommandLine;

namespace LogAgent.Operations;

/// <summary>logagent dead-letters list | replay</summary>
internal static class DeadLettersCommand
{
    public static Command Create(CommandContext context)
    {
        Option<string?> config = CommandLine.ConfigOption();
        config.Recursive = true;
        Command list = new("list", "Prints what there is: for each output and reason the number of records, the oldest and the newest, and the files.");
        Command replay = new("replay", "Sends the records again, each to the output that refused it. What is delivered is removed, what is refused again stays.");
        list.SetAction((_, _) => Task.FromResult((int)NotYet(context)));
        replay.SetAction((_, _) => Task.FromResult((int)NotYet(context)));
        return new Command("dead-letters", "Records that an output refused for good: they stand with the reason in the state directory.")
        {
            config,
            list,
            replay,
        };
    }

    private static ExitCode NotYet(CommandContext context)
    {
        context.Error.WriteLine("Dead letters are not wired yet.");
        return ExitCode.Failed;
    }
}
