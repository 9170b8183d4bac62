using System.Globalization;
using System.Text.RegularExpressions;

namespace LogAgent.IntegrationTests.Support;

/// <summary>The agent's own account of its records, from the text of /metrics: for each output, what was read is what became of it.</summary>
internal static partial class Conservation
{
    private const string Prefix = "logagent_output_records_";

    private static readonly string[] Ends = ["acknowledged_total", "filtered_total", "rejected_total", "lost_total", "in_flight"];

    /// <summary>A line for each output that does not add up; empty when all do.</summary>
    public static string Broken(string metrics) => string.Join(
        Environment.NewLine,
        ByOutput(metrics).Where(output => output.Value.GetValueOrDefault("read_total") != Ends.Sum(end => output.Value.GetValueOrDefault(end)))
            .Select(output => $"{output.Key}: {string.Join(", ", output.Value.Select(sum => $"{sum.Key} {sum.Value}"))}"));

    /// <summary>Sums by output and by the end of the metric's name, as "acknowledged_total".</summary>
    public static Dictionary<string, Dictionary<string, double>> ByOutput(string metrics)
    {
        var outputs = new Dictionary<string, Dictionary<string, double>>(StringComparer.Ordinal);
        foreach (Match line in Series().Matches(metrics))
        {
            string output = line.Groups["output"].Value;
            if (!outputs.TryGetValue(output, out Dictionary<string, double>? sums))
            {
                outputs[output] = sums = new Dictionary<string, double>(StringComparer.Ordinal);
            }

            string name = line.Groups["name"].Value;
            sums[name] = sums.GetValueOrDefault(name) + double.Parse(line.Groups["value"].ValueSpan, CultureInfo.InvariantCulture);
        }

        return outputs;
    }

    [GeneratedRegex("^" + Prefix + "(?<name>[a-z_]+)\\{output=\"(?<output>[^\"]*)\"[^}]*\\} (?<value>\\S+)", RegexOptions.Multiline)]
    private static partial Regex Series();
}
