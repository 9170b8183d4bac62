using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LogAgent.Delivery;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>What stands on the server under the template's name.</summary>
internal enum TemplateState
{
    Missing,

    /// <summary>As this version of the agent makes it, or a newer one.</summary>
    Current,

    /// <summary>Made by an earlier version of the agent, or for other options, and untouched since.</summary>
    Outdated,

    /// <summary>Someone made or changed it: it is left as it is.</summary>
    Foreign,

    /// <summary>The agent may not look.</summary>
    Unknown,
}

/// <summary>
/// Installs the index template before the first group is sent, once; while the server cannot be reached, the group fails and
/// the next attempt tries again. A server that will not have it is reported once, and records are shipped without it. Thread-safe.
/// </summary>
internal sealed partial class IndexTemplate(ElasticsearchOptions options, Schema schema, ElasticsearchClient client, ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private volatile bool _settled;

    /// <summary>Its name on the server.</summary>
    public string Name { get; } = (options.Index.Stem.StartsWith("logagent", StringComparison.Ordinal) ? options.Index.Stem : $"logagent-{options.Index.Stem}")
        + (options.IsDataStream ? "-stream" : "") + (schema == Schema.Flat ? "-flat" : "");

    private string Path => $"/_index_template/{Name}";

    /// <exception cref="SendException">The server cannot be asked now.</exception>
    public async Task EnsureAsync(CancellationToken cancel)
    {
        if (_settled)
        {
            return;
        }

        await _one.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            if (!_settled)
            {
                await InstallAsync(cancel).ConfigureAwait(false);
                _settled = true;
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>What stands there now, and the template as it should be for this server.</summary>
    public async Task<(TemplateState State, JsonObject Wanted)> LookAsync(CancellationToken cancel)
    {
        JsonObject wanted = TemplateDocument.Make(options, schema, await IsOpenSearchAsync(cancel).ConfigureAwait(false));
        using Answer answer = await client.SendAsync(HttpMethod.Get, Path, default, "", false, IsBad, cancel).ConfigureAwait(false);
        if (answer.Status == 404)
        {
            return (TemplateState.Missing, wanted);
        }

        if (!answer.IsSuccess)
        {
            ThrowIfPassing(answer);
            return (TemplateState.Unknown, wanted);
        }

        // {"index_templates":[{"name":"logagent","index_template":{...}}]}
        try
        {
            JsonObject stored = JsonNode.Parse(answer.Body)!["index_templates"]![0]!["index_template"]!.AsObject();
            string actual = TemplateDocument.Checksum(stored);
            return (TemplateDocument.StoredChecksum(stored) != actual ? TemplateState.Foreign
                : TemplateDocument.StoredChecksum(wanted) == actual || TemplateDocument.IsNewer(stored) ? TemplateState.Current
                : TemplateState.Outdated, wanted);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or NullReferenceException or ArgumentOutOfRangeException)
        {
            throw ElasticsearchClient.Unexpected(answer);
        }
    }

    public void Dispose() => _one.Dispose();

    private static bool IsBad(Answer answer) => answer.Status >= 500 && answer.Status != 503;

    private async Task InstallAsync(CancellationToken cancel)
    {
        (TemplateState state, JsonObject wanted) = await LookAsync(cancel).ConfigureAwait(false);
        if (state == TemplateState.Foreign)
        {
            LogForeign(logger, options.Name, Name);
            return;
        }

        if (state == TemplateState.Current)
        {
            return;
        }

        // A template that appeared since is not overwritten: create=true refuses.
        string path = state == TemplateState.Outdated ? Path : $"{Path}?create=true";
        using Answer answer = await client.SendAsync(HttpMethod.Put, path, Encoding.UTF8.GetBytes(wanted.ToJsonString()), "application/json", false, IsBad, cancel).ConfigureAwait(false);
        if (answer.IsSuccess)
        {
            LogInstalled(logger, options.Name, Name, options.Index.Wildcard);
            return;
        }

        ThrowIfPassing(answer);
        if (answer.Status == 403)
        {
            LogForbidden(logger, options.Name, Name, answer.Problem());
        }
        else if (state != TemplateState.Missing || (await LookAsync(cancel).ConfigureAwait(false)).State != TemplateState.Current)
        {
            LogRefused(logger, options.Name, Name, answer.Problem()); // and not: another agent was quicker
        }
    }

    /// <summary>Answers after which asking again later may help. 403 is none: keys that may only write are usual.</summary>
    private void ThrowIfPassing(Answer answer)
    {
        if (answer.Status is 401 or 429 || answer.Status >= 500)
        {
            throw client.Refusal(answer);
        }
    }

    private async Task<bool> IsOpenSearchAsync(CancellationToken cancel)
    {
        using Answer answer = await client.SendAsync(HttpMethod.Get, "/", default, "", false, IsBad, cancel).ConfigureAwait(false);
        if (answer.IsSuccess)
        {
            return ServerVersion.Read(answer) is { IsOpenSearch: true };
        }

        ThrowIfPassing(answer);
        return answer.Problem().Contains("no permissions for", StringComparison.Ordinal); // a key that may not ask: only OpenSearch refuses in these words
    }

    [LoggerMessage(LogLevel.Information, "{Output}: index template {Template} installed for {Pattern}")]
    private static partial void LogInstalled(ILogger logger, string output, string template, string pattern);

    [LoggerMessage(LogLevel.Warning, "{Output}: index template {Template} was made or changed by someone else and is left as it is; delete it to get the agent's, or switch this off with template.install: false")]
    private static partial void LogForeign(ILogger logger, string output, string template);

    [LoggerMessage(LogLevel.Warning, "{Output}: the agent may not install the index template {Template} ({Reason}); give it the cluster privilege manage_index_templates once, or install a template by hand and set template.install: false. Records are shipped without it: times lose their nanoseconds, labels become many fields")]
    private static partial void LogForbidden(ILogger logger, string output, string template, string reason);

    [LoggerMessage(LogLevel.Warning, "{Output}: the server refuses the index template {Template}: {Reason}. Records are shipped without it")]
    private static partial void LogRefused(ILogger logger, string output, string template, string reason);
}
