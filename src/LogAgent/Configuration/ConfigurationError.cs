namespace LogAgent.Configuration;

/// <summary>One thing that is wrong with the configuration.</summary>
/// <param name="Source">The file, or the environment variable that the value came from.</param>
/// <param name="Line">Line in the file, from 1; 0 where there is none.</param>
/// <param name="Key">Where it stands, as outputs[0].tls.ca_file; empty for the file as a whole.</param>
/// <param name="Problem">What is wrong and what is allowed. It never holds a secret.</param>
internal sealed record ConfigurationError(string Source, int Line, string Key, string Problem)
{
    public override string ToString() =>
        $"{Source}{(Line > 0 ? $":{Line}" : "")}: {(Key.Length > 0 ? Key + ": " : "")}{Problem}";
}
