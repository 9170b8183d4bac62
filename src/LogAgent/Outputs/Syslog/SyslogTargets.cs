using System.Net.Sockets;
using System.Security.Authentication;
using LogAgent.Delivery;

namespace LogAgent.Outputs.Syslog;

/// <summary>
/// The receivers in their order: the first that can be reached is used, and after a while on a later one the earlier ones are
/// tried again. Owns the one connection. Not thread-safe.
/// </summary>
internal sealed class SyslogTargets(SyslogOptions options, TimeProvider time, ILogger logger) : IDisposable
{
    private readonly ServerTrust? _trust = options.Protocol == SyslogProtocol.Tls ? new(options.Tls) : null;
    private ISyslogConnection? _connection;
    private int _current;
    private long _since;

    /// <summary>An open connection, to be used until the next call.</summary>
    /// <exception cref="SendException">No receiver can be reached; says why for each.</exception>
    public async Task<ISyslogConnection> ConnectAsync(CancellationToken cancel)
    {
        if (_connection is { IsOpen: false } closed)
        {
            SyslogLog.Closed(logger, options.Name, closed.Target);
            Drop();
        }

        if (_connection is { } open)
        {
            if (_current == 0 || time.GetElapsedTime(_since) < options.FailBackAfter)
            {
                return open;
            }

            _since = time.GetTimestamp();
            (ISyslogConnection? earlier, int index, _) = await FirstAsync(_current, cancel).ConfigureAwait(false);
            if (earlier is null)
            {
                return open;
            }

            Drop();
            return Use(earlier, index);
        }

        (ISyslogConnection? first, int at, string problems) = await FirstAsync(options.Targets.Count, cancel).ConfigureAwait(false);
        return first is null
            ? throw new SendException(SendTrouble.Unreachable, $"No syslog receiver can be reached: {problems}.")
            : Use(first, at);
    }

    /// <summary>Closes the connection: the next call makes a new one.</summary>
    public void Drop()
    {
        _connection?.Dispose();
        _connection = null;
    }

    /// <summary>Connects to one receiver. The problem is empty where that went well.</summary>
    public async Task<(ISyslogConnection? Connection, string Problem)> TryConnectAsync(SyslogTarget target, CancellationToken cancel)
    {
        using CancellationTokenSource deadline = new(options.Timeout, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
        try
        {
            return options.Protocol == SyslogProtocol.Udp
                ? (await SyslogDatagrams.ConnectAsync(target, either.Token).ConfigureAwait(false), "")
                : (await SyslogStream.ConnectAsync(target, _trust, either.Token).ConfigureAwait(false), "");
        }
        catch (AuthenticationException refused)
        {
            return (null, $"TLS with {target} failed: {(_trust is { Problem.Length: > 0 } trust ? trust.Problem : refused.Message)}");
        }
        catch (Exception trouble) when (trouble is SocketException or IOException)
        {
            return (null, $"{target}: {trouble.Message}");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return (null, $"{target}: no connection within {options.Timeout.TotalSeconds:0.#} s");
        }
    }

    public void Dispose() => Drop();

    private async Task<(ISyslogConnection? Connection, int Index, string Problems)> FirstAsync(int count, CancellationToken cancel)
    {
        List<string> problems = [];
        for (int i = 0; i < count; i++)
        {
            (ISyslogConnection? connection, string problem) = await TryConnectAsync(options.Targets[i], cancel).ConfigureAwait(false);
            if (connection is not null)
            {
                return (connection, i, "");
            }

            problems.Add(problem);
        }

        return (null, -1, string.Join("; ", problems));
    }

    private ISyslogConnection Use(ISyslogConnection connection, int index)
    {
        if (index != _current)
        {
            SyslogLog.Moved(logger, options.Name, connection.Target);
        }

        _connection = connection;
        _current = index;
        _since = time.GetTimestamp();
        return connection;
    }
}
