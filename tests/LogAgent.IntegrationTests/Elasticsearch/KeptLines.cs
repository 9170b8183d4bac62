using Microsoft.Extensions.Logging;

namespace LogAgent.IntegrationTests.Elasticsearch;

/// <summary>A logger that keeps its lines.</summary>
internal sealed class KeptLines : ILogger
{
    public List<string> All { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel level) => true;

    public void Log<TState>(LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (All)
        {
            All.Add($"{level}: {formatter(state, exception)}");
        }
    }
}
