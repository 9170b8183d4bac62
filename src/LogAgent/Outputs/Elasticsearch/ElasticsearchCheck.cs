using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LogAgent.Delivery;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>What <c>logagent check</c> tries: each node, the right to write, the index template. It changes nothing on the server.</summary>
internal sealed class ElasticsearchCheck(ElasticsearchOptions options, ElasticsearchClient client, IndexTemplate template, TimeProvider time)
{
    public async Task<IReadOnlyList<CheckResult>> RunAsync(CancellationToken cancel)
    {
        List<CheckResult> results = [];
        bool reachable = false;
        foreach (Node node in client.Nodes)
        {
            CheckResult result = await TryAsync($"node {node}", () => NodeAsync(node, cancel)).ConfigureAwait(false);
            reachable |= result.Ok;
            results.Add(result);
        }

        if (reachable)
        {
            results.Add(await TryAsync($"write to {Target}", () => PrivilegesAsync(cancel)).ConfigureAwait(false));
            if (options.InstallTemplate)
            {
                results.Add(await TryAsync($"index template {template.Name}", () => TemplateAsync(cancel)).ConfigureAwait(false));
            }
        }

        return results;
    }

    private string Target => options.Index.Of(UtcDay.Of((time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100)).Name;

    private static async Task<CheckResult> TryAsync(string what, Func<Task<(bool Ok, string Detail)>> attempt)
    {
        try
        {
            (bool ok, string detail) = await attempt().ConfigureAwait(false);
            return new(ok, what, detail);
        }
        catch (SendException problem)
        {
            return new(false, what, problem.Message);
        }
        catch (OperationCanceledException)
        {
            return new(false, what, "the check was ended before there was an answer");
        }
    }

    private async Task<(bool Ok, string Detail)> NodeAsync(Node node, CancellationToken cancel)
    {
        using Answer answer = await client.SendAsync(node, HttpMethod.Get, "/", default, "", false, cancel).ConfigureAwait(false);
        if (answer.Status == 403)
        {
            return (true, "reachable; the credentials are accepted, but may not ask for the version (which is not needed)");
        }

        if (!answer.IsSuccess)
        {
            return (false, client.Refusal(answer).Message);
        }

        return ServerVersion.Read(answer) switch
        {
            null => (false, "something answers there that is neither Elasticsearch nor OpenSearch: correct hosts"),
            { IsSupported: false } old => (false, $"{old} is older than what the agent is made for: Elasticsearch 8 or OpenSearch 2"),
            var version => (true, version.ToString()),
        };
    }

    private async Task<(bool Ok, string Detail)> PrivilegesAsync(CancellationToken cancel)
    {
        JsonObject question = new()
        {
            ["index"] = new JsonArray(new JsonObject
            {
                ["names"] = new JsonArray(Target),
                ["privileges"] = new JsonArray("create_doc", "auto_configure"),
            }),
        };
        byte[] body = Encoding.UTF8.GetBytes(question.ToJsonString());
        using Answer answer = await client.SendAsync(HttpMethod.Post, "/_security/user/_has_privileges", body, "application/json", false, candidate => candidate.Status >= 500, cancel).ConfigureAwait(false);
        if (answer.Status == 401)
        {
            return (false, client.Refusal(answer).Message);
        }

        using JsonDocument? json = answer.TryParse();
        if (!answer.IsSuccess || json is null || !json.RootElement.TryGetProperty("index", out JsonElement index))
        {
            return (true, "the server has no security API to ask: not tried");
        }

        string[] missing = [.. index.EnumerateObject().SelectMany(name => name.Value.EnumerateObject()).Where(right => right.Value.ValueKind == JsonValueKind.False).Select(right => right.Name)];
        return missing.Contains("create_doc") ? (false, $"the {options.Credentials?.Key ?? "anonymous user"} may not write there: give it create_doc and auto_configure on {options.Index.Wildcard}")
            : missing.Length > 0 ? (true, $"allowed for an index that exists; it may not make a new one (auto_configure on {options.Index.Wildcard})")
            : (true, "allowed");
    }

    private async Task<(bool Ok, string Detail)> TemplateAsync(CancellationToken cancel)
    {
        (TemplateState state, _) = await template.LookAsync(cancel).ConfigureAwait(false);
        return state switch
        {
            TemplateState.Missing => (true, "not there yet; it is installed before the first records are sent"),
            TemplateState.Current => (true, "installed"),
            TemplateState.Outdated => (true, "made by another version of the agent, or for other options; it is brought up to date before the first records are sent"),
            TemplateState.Foreign => (true, "made or changed by someone else; it is left as it is"),
            _ => (true, "the credentials may not ask for it; install it by hand, or give them manage_index_templates, or set template.install: false"),
        };
    }
}
