using System.Net;

namespace LogAgent.Configuration;

/// <summary>The section metrics of the configuration.</summary>
internal sealed record MetricsOptions
{
    private const string DefaultListen = "127.0.0.1:9600";

    /// <summary>Where /metrics, /healthz and /readyz are served; null where it is switched off.</summary>
    public IPEndPoint? Listen { get; init; } = new(IPAddress.Loopback, 9600);

    public static MetricsOptions Read(SectionReader section)
    {
        string text = section.Text("listen", DefaultListen);
        if (text.Length == 0)
        {
            return new MetricsOptions { Listen = null };
        }

        if (!TryAddress(text, out IPEndPoint? address))
        {
            section.Error("listen", $"'{text}' is not allowed: this must be an address and a port such as {DefaultListen}, 0.0.0.0:9600, [::1]:9600 or :9600 (all addresses); \"\" switches it off.");
            return new MetricsOptions();
        }

        return new MetricsOptions { Listen = address };
    }

    private static bool TryAddress(string text, out IPEndPoint? address)
    {
        address = null;
        int colon = text.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(text.AsSpan(colon + 1), out ushort port))
        {
            return false;
        }

        string host = text[..colon];
        IPAddress? ip = host switch
        {
            "" or "*" => IPAddress.Any,
            "localhost" => IPAddress.Loopback,
            _ => (host.Contains(':') == host.StartsWith('[')) && IPAddress.TryParse(host, out IPAddress? parsed) ? parsed : null,
        };
        address = ip is null ? null : new IPEndPoint(ip, port);
        return ip is not null;
    }
}
