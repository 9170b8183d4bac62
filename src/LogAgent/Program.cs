using System.Collections;
using LogAgent.Operations;

Dictionary<string, string> environment = [];
foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
{
    environment[(string)variable.Key] = (string?)variable.Value ?? "";
}

return (int)await CommandLine.RunAsync(args, new CommandContext(Console.Out, Console.Error, environment, TimeProvider.System));
