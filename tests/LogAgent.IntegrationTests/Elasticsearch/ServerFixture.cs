using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Elasticsearch;

/// <summary>One real server for the tests of a class, started by the first of them that runs.</summary>
public abstract class ServerFixture(int nodes, bool secure, params string[] options) : IAsyncLifetime
{
    private ElasticsearchServer? _server;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    internal async Task<ElasticsearchServer> GetAsync() => _server ??= await ElasticsearchServer.StartAsync(nodes, secure, options);
}
