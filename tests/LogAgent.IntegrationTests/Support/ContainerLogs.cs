using System.Text.Json;

namespace LogAgent.IntegrationTests.Support;

/// <summary>What a container of a real engine has written, as its log files say.</summary>
internal static class ContainerLogs
{
    /// <summary>Lines by source, over the plain generations of the container's log.</summary>
    public static IReadOnlyDictionary<string, long> Count(string dataRoot, string id)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string file in Directory.GetFiles(Path.Combine(dataRoot, "containers", id), "*-json.log*"))
        {
            foreach (string line in File.ReadLines(file))
            {
                using JsonDocument record = JsonDocument.Parse(line);
                string text = record.RootElement.GetProperty("log").GetString()!;
                if (text.StartsWith("seq source=", StringComparison.Ordinal))
                {
                    string source = text["seq source=".Length..text.IndexOf(" n=", StringComparison.Ordinal)];
                    counts[source] = counts.GetValueOrDefault(source) + 1;
                }
            }
        }

        return counts;
    }
}
