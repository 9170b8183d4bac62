using System.Net.Sockets;
using LogAgent.Delivery;

namespace LogAgent.Outputs.Syslog;

/// <summary>
/// Ships records to a syslog receiver. Delivered means: taken by the socket of an open connection. A receiver that dies in
/// that moment loses what is on its way; over UDP nobody knows. What was sent before a connection broke in the middle of a
/// group is sent again.
/// </summary>
internal sealed class SyslogOutput(SyslogOptions options, TimeProvider time, ILogger logger) : IOutput
{
    private readonly SyslogEncoder _encoder = new(options, time.LocalTimeZone);
    private readonly SyslogTargets _targets = new(options, time, logger);

    public string Name => options.Name;

    /// <summary>Small groups: one that breaks off is sent again as a whole.</summary>
    public SendLimits Limits { get; } = new()
    {
        GroupBytes = 256 * 1024,
        GroupRecords = 2000,
        GroupAge = TimeSpan.FromMilliseconds(200),
        MaxConcurrency = 1,
    };

    public async Task<SendResult> SendAsync(RecordGroup group, CancellationToken cancel)
    {
        ISyslogConnection connection = await _targets.ConnectAsync(cancel).ConfigureAwait(false);
        _encoder.Encode(group);
        using CancellationTokenSource deadline = new(options.Timeout, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
        try
        {
            await connection.SendAsync(_encoder.Frames, _encoder.Ends, either.Token).ConfigureAwait(false);
            return _encoder.Cut.Records == 0 ? SendResult.Delivered : new() { Cut = _encoder.Cut };
        }
        catch (Exception trouble) when (trouble is IOException or SocketException)
        {
            _targets.Drop();
            throw new SendException(SendTrouble.Unreachable, $"The connection to syslog receiver {connection.Target} broke: {trouble.Message}.", trouble);
        }
        catch (OperationCanceledException)
        {
            // Part of a message may be on its way: nothing more can follow it on this connection.
            _targets.Drop();
            cancel.ThrowIfCancellationRequested();
            throw new SendException(SendTrouble.Unreachable, $"Syslog receiver {connection.Target} has not taken anything for {options.Timeout.TotalSeconds:0.#} s (timeout).");
        }
    }

    public async Task<IReadOnlyList<CheckResult>> CheckAsync(CancellationToken cancel)
    {
        List<CheckResult> results = [];
        using SyslogTargets targets = new(options, time, logger);
        foreach (SyslogTarget target in options.Targets)
        {
            string what = $"syslog {target} ({options.Protocol.ToString().ToLowerInvariant()})";
            try
            {
                (ISyslogConnection? connection, string problem) = await targets.TryConnectAsync(target, cancel).ConfigureAwait(false);
                results.Add(connection is null
                    ? new(false, what, $"{problem}. Check targets, protocol and the receiver.")
                    : new(true, what, options.Protocol == SyslogProtocol.Udp ? "the name resolves; over UDP nothing more can be known" : "connected"));
                connection?.Dispose();
            }
            catch (OperationCanceledException)
            {
                results.Add(new(false, what, "the check was stopped"));
            }
        }

        return results;
    }

    public ValueTask DisposeAsync()
    {
        _targets.Dispose();
        _encoder.Dispose();
        return ValueTask.CompletedTask;
    }
}
