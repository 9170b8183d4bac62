using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace LogAgent.Operations;

/// <summary>
/// Tells systemd how the service does (sd_notify): datagrams of NAME=value lines to the socket that NOTIFY_SOCKET names, a
/// path or, with a leading @, an abstract name. Without NOTIFY_SOCKET every call does nothing. Trouble with the socket is
/// ignored: the service works without. Thread-safe.
/// </summary>
internal sealed class SystemdNotify(IReadOnlyDictionary<string, string> environment)
{
    private readonly string _socket = environment.GetValueOrDefault("NOTIFY_SOCKET") ?? "";

    public bool IsPresent => _socket.Length > 1 && _socket[0] is '/' or '@';

    /// <summary>
    /// How often systemd wants a sign of life, or null: WATCHDOG_USEC, where WATCHDOG_PID is this process or absent.
    /// </summary>
    public TimeSpan? Watchdog =>
        IsPresent
        && long.TryParse(environment.GetValueOrDefault("WATCHDOG_USEC"), CultureInfo.InvariantCulture, out long microseconds) && microseconds > 0
        && (!environment.TryGetValue("WATCHDOG_PID", out string? pid) || pid == Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;

    public void Ready(string status) => Send($"READY=1\nSTATUS={OneLine(status)}");

    public void Status(string status) => Send($"STATUS={OneLine(status)}");

    public void Stopping(string status) => Send($"STOPPING=1\nSTATUS={OneLine(status)}");

    /// <summary>A reload begins; <see cref="Ready"/> ends it.</summary>
    public void Reloading()
    {
        // systemd compares the value with its own CLOCK_MONOTONIC, which is what Stopwatch reads on Linux.
        long microseconds = (long)(Stopwatch.GetTimestamp() * (1e6 / Stopwatch.Frequency));
        Send($"RELOADING=1\nMONOTONIC_USEC={microseconds.ToString(CultureInfo.InvariantCulture)}");
    }

    public void KeepAlive() => Send("WATCHDOG=1");

    private static string OneLine(string status) => status.ReplaceLineEndings(" ");

    private void Send(string state)
    {
        if (!IsPresent)
        {
            return;
        }

        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(_socket[0] == '@' ? "\0" + _socket[1..] : _socket));
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            // See the summary.
        }
    }
}
