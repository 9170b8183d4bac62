namespace LogAgent.Operations;

/// <summary>What a command has of the world.</summary>
/// <param name="Output">Standard output: what was asked for.</param>
/// <param name="Error">Standard error: what went wrong.</param>
internal sealed record CommandContext(TextWriter Output, TextWriter Error, IReadOnlyDictionary<string, string> Environment, TimeProvider Time);
