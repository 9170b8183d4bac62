namespace LogAgent.IntegrationTests.Support;

/// <summary>The dead letters of a state directory, running agent or not.</summary>
internal static class DeadLetterLines
{
    /// <summary>One line a letter, those of the oracle only.</summary>
    public static List<string> Read(string stateDirectory)
    {
        var letters = new List<string>();
        foreach (string file in Directory.GetFiles(stateDirectory, "*.ndjson", SearchOption.AllDirectories))
        {
            using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            while (reader.ReadLine() is { } line)
            {
                if (line.Contains("seq source=", StringComparison.Ordinal))
                {
                    letters.Add(line);
                }
            }
        }

        return letters;
    }
}
