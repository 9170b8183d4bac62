using System.Text.Json;
using LogAgent.Delivery;
using LogAgent.IntegrationTests.Support;
using LogAgent.Outputs;
using LogAgent.Outputs.Elasticsearch;
using LogAgent.Tailing;
using LogAgent.Tests.Support;
using Microsoft.Extensions.Logging;

namespace LogAgent.IntegrationTests.Elasticsearch;

/// <summary>Makes outputs and groups for tests against a real server, and reads back.</summary>
internal static class OutputUnderTest
{
    /// <summary>2026-11-20, in days since 1970.</summary>
    public const long Day = 20_777;

    /// <summary>Labels that make conflicting mappings wherever each is a field of its own.</summary>
    public const string DottedLabels = ",\"container\":{\"labels\":{\"a\":\"1\",\"a.b\":\"2\",\"a.b.c\":\"3\"}}";

    public static ElasticsearchOutput Make(ElasticsearchServer server, string index, Func<ElasticsearchOptions, ElasticsearchOptions>? change = null, ILogger? logger = null)
    {
        if (!IndexName.TryParse(index, out IndexName name, out string problem))
        {
            throw new ArgumentException(problem);
        }

        ElasticsearchOptions options = new() { Index = name, Hosts = [.. server.Urls.Select(url => new Uri(url))], Timeout = TimeSpan.FromSeconds(20) };
        return new(change?.Invoke(options) ?? options, new(Schema.Ecs), TimeProvider.System, logger ?? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
    }

    /// <summary>Records as Docker's json-file has them, a microsecond and a nanosecond apart.</summary>
    /// <param name="more">More members for each document, with a leading comma.</param>
    public static RecordGroup Lines(int count, int first = 0, int length = 100, string more = "")
    {
        BatchBuilder batch = new()
        {
            Target = new()
            {
                Id = "container:test",
                Path = "/test.log",
                Format = TailFormat.DockerJson,
                Fields = new([], System.Text.Encoding.UTF8.GetBytes("\"host\":{\"name\":\"h1\"},\"service\":{\"name\":\"web\"}" + more)),
            },
        };
        for (int i = first; i < first + count; i++)
        {
            string time = $"2026-11-20T20:35:46.{i * 1001L % 1_000_000_000:000000000}Z";
            batch.Add($"line {i} {new string('x', length)}", RecordFlags.Escaped, time, nanos: (Day * UtcDay.Nanos) + (i * 1001L), offset: i * 200L, sequence: i);
        }

        return batch.BuildGroup();
    }

    /// <summary>Sends until every record is delivered, a few times at most.</summary>
    public static async Task DeliverAsync(ElasticsearchOutput output, RecordGroup group)
    {
        for (int attempt = 0; attempt < 50; attempt++)
        {
            try
            {
                SendResult result = await output.SendAsync(group, default);
                Assert.Empty(result.Rejected);
                if (result.Retry.Count == 0 && !result.IsTooLarge)
                {
                    return;
                }
            }
            catch (SendException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
            }
        }

        Assert.Fail("The group was not delivered.");
    }

    /// <summary>The numbers of all stored lines, in the order of @timestamp.</summary>
    public static async Task<List<int>> NumbersAsync(ElasticsearchServer server, string index)
    {
        await server.RequestAsync(HttpMethod.Post, $"/{index}/_refresh");
        using JsonDocument answer = JsonDocument.Parse(await server.RequestAsync(HttpMethod.Post, $"/{index}/_search", """{"size":10000,"sort":["@timestamp"],"_source":["message"]}"""));
        return [.. answer.RootElement.GetProperty("hits").GetProperty("hits").EnumerateArray()
            .Select(hit => int.Parse(hit.GetProperty("_source").GetProperty("message").GetString()!.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture))];
    }
}
