namespace LogAgent.Operations;

/// <summary>The pages of the metrics address.</summary>
internal static class OperationsPages
{
    /// <param name="health">/healthz: the agent works; a restart would help where it does not.</param>
    /// <param name="ready">/readyz: every output takes records; a restart would not help where one does not.</param>
    public static IReadOnlyDictionary<string, Func<HttpAnswer>> Of(MetricsPage metrics, Func<Health> health, Func<Health> ready) =>
        new Dictionary<string, Func<HttpAnswer>>(StringComparer.Ordinal)
        {
            ["/"] = () => HttpAnswer.Text(200, $"LogAgent {VersionCommand.Version}: /metrics /healthz /readyz\n"),
            ["/metrics"] = metrics.Answer,
            ["/healthz"] = () => health().Answer(),
            ["/readyz"] = () => ready().Answer(),
        };
}
