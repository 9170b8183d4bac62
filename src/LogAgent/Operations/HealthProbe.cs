using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LogAgent.Operations;

/// <summary>Asks a running agent for a page: one GET over a plain socket, so that a health check starts fast and small.</summary>
internal static class HealthProbe
{
    private const int LargestAnswer = 1 << 20;

    /// <param name="Status">The HTTP status; 0 where there was no answer, and the body then says why.</param>
    /// <param name="Server">The Server header; empty where there is none.</param>
    internal readonly record struct Answer(int Status, string Server, string Body);

    /// <summary>Never throws for what the network does.</summary>
    public static Answer Ask(IPEndPoint address, string page, TimeSpan timeout)
    {
        try
        {
            using Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.SendTimeout = socket.ReceiveTimeout = (int)timeout.TotalMilliseconds;
            socket.Connect(address);
            socket.Send(Encoding.ASCII.GetBytes($"GET {page} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"));
            using MemoryStream received = new();
            byte[] buffer = new byte[4096];
            for (int read = socket.Receive(buffer); read > 0 && received.Length < LargestAnswer; read = socket.Receive(buffer))
            {
                received.Write(buffer, 0, read);
            }

            return Parse(Encoding.UTF8.GetString(received.GetBuffer(), 0, (int)received.Length), address);
        }
        catch (SocketException e)
        {
            return new Answer(0, "", $"No agent answers on {address}: {new SocketException(e.ErrorCode).Message}. Check that it runs and that metrics.listen is this address.");
        }
    }

    private static Answer Parse(string text, IPEndPoint address)
    {
        int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        string[] head = end < 0 ? [""] : text[..end].Split("\r\n");
        string[] first = head[0].Split(' ', 3);
        if (first.Length < 2 || !first[0].StartsWith("HTTP/", StringComparison.Ordinal) || !int.TryParse(first[1], CultureInfo.InvariantCulture, out int status))
        {
            return new Answer(0, "", $"What answers on {address} does not speak HTTP: another program holds the address of metrics.listen.");
        }

        string server = head.FirstOrDefault(line => line.StartsWith("Server:", StringComparison.OrdinalIgnoreCase))?["Server:".Length..].Trim() ?? "";
        return new Answer(status, server, text[(end + 4)..]);
    }
}
