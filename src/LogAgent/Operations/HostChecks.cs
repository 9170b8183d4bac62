using System.Net;
using System.Net.Sockets;
using LogAgent.Delivery;

namespace LogAgent.Operations;

/// <summary>The checks of this host that need no more than the configuration.</summary>
internal static class HostChecks
{
    /// <summary>Writes and removes a file in the directory, and the directory where it was not there.</summary>
    public static CheckResult StateDirectory(string directory)
    {
        const string What = "state directory";
        try
        {
            bool made = !Directory.Exists(directory);
            Directory.CreateDirectory(directory);
            string probe = Path.Combine(directory, $".check-{Environment.ProcessId}");
            File.WriteAllBytes(probe, [0]);
            File.Delete(probe);
            long free = new DriveInfo(directory).AvailableFreeSpace;
            if (made)
            {
                Directory.Delete(directory);
            }

            return free < 16 << 20
                ? new CheckResult(false, What, $"{directory} has only {free >> 20} MiB of free space: checkpoints and dead letters need room. Free some, or set state.directory to another disk.")
                : new CheckResult(true, What, $"{directory} is writable{(made ? " (the agent will make it)" : "")}, {free >> 20} MiB free");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new CheckResult(false, What, $"{directory} cannot be written: {e.Message} Make it for this user (mkdir -p {directory} && chown {Environment.UserName} {directory}), or set state.directory or LOGAGENT_STATE_DIRECTORY to another one.");
        }
    }

    /// <summary>Listens for a moment. A running agent that holds the address is no failure.</summary>
    public static CheckResult MetricsAddress(IPEndPoint? address)
    {
        const string What = "metrics address";
        if (address is null)
        {
            return new CheckResult(true, What, "switched off");
        }

        try
        {
            using Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(address);
            socket.Listen(1);
            return new CheckResult(true, What, $"{address} is free");
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.AddressAlreadyInUse && HealthProbe.Ask(address, "/healthz", TimeSpan.FromSeconds(1)).Server == HttpResponder.ServerName
                ? new CheckResult(true, What, $"{address} is used by a running LogAgent")
                : new CheckResult(false, What, $"{address} cannot be listened on: {e.Message}. Set metrics.listen to another address, or to \"\" to switch it off.");
        }
    }
}
