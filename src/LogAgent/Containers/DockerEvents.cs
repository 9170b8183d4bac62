using System.Text;
using System.Text.Json;

namespace LogAgent.Containers;

/// <summary>
/// The open stream of container events: one JSON object a line. Owns the response. One reader at a time.
/// </summary>
internal sealed class DockerEvents(HttpResponseMessage response, Stream body, DockerEndpoint endpoint) : IDisposable
{
    private readonly StreamReader _lines = new(body, Encoding.UTF8);

    /// <summary>The next event, or null when the engine has ended the stream (it stops).</summary>
    /// <exception cref="DockerException">The stream broke off, or what came is no event.</exception>
    public async Task<DockerJson.Event?> ReadAsync(CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                string? line = await _lines.ReadLineAsync(cancel);
                if (line is null)
                {
                    return null;
                }

                if (line.Length > 0 && JsonSerializer.Deserialize(line, DockerJsonContext.Default.Event) is { } found)
                {
                    return found;
                }
            }
        }
        catch (JsonException e)
        {
            throw new DockerException($"The engine at {endpoint} sent an event that is not JSON ({e.Message}).", e);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or ObjectDisposedException)
        {
            throw new DockerException($"The stream of events from {endpoint} broke off: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        _lines.Dispose();
        response.Dispose();
    }
}
