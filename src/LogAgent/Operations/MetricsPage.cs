using System.Globalization;
using System.Text;

namespace LogAgent.Operations;

/// <summary>
/// The page /metrics: Prometheus text format 0.0.4. Values of one name stand together under one HELP and TYPE line, as the
/// format asks, however many suppliers give them.
/// </summary>
/// <param name="suppliers">Called for each request; each gives what is true at that moment. Thread-safe.</param>
internal sealed class MetricsPage(params IReadOnlyList<Func<IEnumerable<Metric>>> suppliers)
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public HttpAnswer Answer() => new(200, ContentType, Render());

    public string Render()
    {
        Dictionary<string, List<Metric>> byName = new(StringComparer.Ordinal);
        List<List<Metric>> families = [];
        foreach (Metric metric in suppliers.SelectMany(supply => supply()))
        {
            if (!byName.TryGetValue(metric.Name, out List<Metric>? family))
            {
                byName[metric.Name] = family = [];
                families.Add(family);
            }

            family.Add(metric);
        }

        StringBuilder page = new();
        foreach (List<Metric> family in families)
        {
            Metric first = family[0];
            page.Append("# HELP ").Append(first.Name).Append(' ').Append(first.Help.Replace("\\", "\\\\", StringComparison.Ordinal).ReplaceLineEndings("\\n")).Append('\n');
            page.Append("# TYPE ").Append(first.Name).Append(first.Type == MetricType.Counter ? " counter\n" : " gauge\n");
            foreach (Metric metric in family)
            {
                Append(page, metric);
            }
        }

        return page.ToString();
    }

    private static void Append(StringBuilder page, in Metric metric)
    {
        page.Append(metric.Name);
        for (int i = 0; i < metric.Labels.Length; i++)
        {
            (string name, string value) = metric.Labels[i];
            page.Append(i == 0 ? '{' : ',').Append(name).Append("=\"");
            foreach (char c in value)
            {
                _ = c switch
                {
                    '\\' => page.Append("\\\\"),
                    '"' => page.Append("\\\""),
                    '\n' => page.Append("\\n"),
                    _ => page.Append(c),
                };
            }

            page.Append('"');
        }

        page.Append(metric.Labels.Length > 0 ? "} " : " ").Append(Number(metric.Value)).Append('\n');
    }

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
