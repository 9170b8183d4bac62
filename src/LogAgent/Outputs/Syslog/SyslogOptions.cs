using System.Text.RegularExpressions;
using LogAgent.Configuration;
using LogAgent.Tailing;

namespace LogAgent.Outputs.Syslog;

internal enum SyslogProtocol
{
    Udp,
    Tcp,
    Tls,
}

internal enum SyslogFormat
{
    Rfc5424,
    Rfc3164,
}

/// <summary>RFC 5424, section 6.2.1, in the order of their numbers.</summary>
internal enum SyslogFacility
{
    Kern,
    User,
    Mail,
    Daemon,
    Auth,
    Syslog,
    Lpr,
    News,
    Uucp,
    Cron,
    Authpriv,
    Ftp,
    Ntp,
    Audit,
    Alert,
    Clock,
    Local0,
    Local1,
    Local2,
    Local3,
    Local4,
    Local5,
    Local6,
    Local7,
}

/// <summary>RFC 5424, section 6.2.1, in the order of their numbers.</summary>
internal enum SyslogSeverity
{
    Emerg,
    Alert,
    Crit,
    Err,
    Warning,
    Notice,
    Info,
    Debug,
}

/// <summary>What becomes of a record that does not fit into one syslog message.</summary>
internal enum SyslogOversize
{
    /// <summary>It is sent in pieces, numbered in the structured data: part="2/3".</summary>
    Split,

    /// <summary>It is cut, which the structured data says: truncated="true".</summary>
    Truncate,
}

/// <summary>What becomes of line endings and other control characters inside of a record.</summary>
internal enum SyslogNewlines
{
    /// <summary>They are sent as they are: octet counting and datagrams carry them.</summary>
    Keep,

    /// <summary>Each becomes a space.</summary>
    Space,

    /// <summary>Each becomes # and three octal digits, as rsyslog writes them: #012.</summary>
    Escape,
}

/// <summary>A receiver.</summary>
internal readonly record struct SyslogTarget(string Host, int Port)
{
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

/// <summary>One of <c>outputs</c> with <c>type: syslog</c>.</summary>
internal sealed partial record SyslogOptions
{
    public string Name { get; init; } = "syslog";

    /// <summary>In the order in which they are tried.</summary>
    public required IReadOnlyList<SyslogTarget> Targets { get; init; }

    public SyslogProtocol Protocol { get; init; } = SyslogProtocol.Tcp;

    public TlsOptions Tls { get; init; } = new();

    public SyslogFormat Format { get; init; } = SyslogFormat.Rfc5424;

    public SyslogFacility Facility { get; init; } = SyslogFacility.Daemon;

    public SyslogSeverity Stdout { get; init; } = SyslogSeverity.Info;

    public SyslogSeverity Stderr { get; init; } = SyslogSeverity.Err;

    /// <summary>For records of plain files.</summary>
    public SyslogSeverity File { get; init; } = SyslogSeverity.Info;

    /// <summary>Canonical name of the field that becomes APP-NAME (the tag of RFC 3164).</summary>
    public string AppNameField { get; init; } = "container.name";

    /// <summary>Name of the structured data element; empty for none.</summary>
    public string StructuredDataId { get; init; } = "container@32473";

    /// <summary>The structured data carries the time with all of its nine digits; RFC 5424 allows six in the TIMESTAMP.</summary>
    public bool FullTime { get; init; }

    /// <summary>Longest syslog message in bytes, its header included.</summary>
    public int MaxMessage { get; init; } = 8192;

    public SyslogOversize Oversize { get; init; } = SyslogOversize.Split;

    public SyslogNewlines Newlines { get; init; } = SyslogNewlines.Keep;

    /// <summary>For connecting, and for a write in which the receiver takes nothing.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>After so long on a later target the earlier ones are tried again.</summary>
    public TimeSpan FailBackAfter { get; init; } = TimeSpan.FromMinutes(5);

    public SyslogSeverity SeverityOf(LogStream stream) => stream switch
    {
        LogStream.Stdout => Stdout,
        LogStream.Stderr => Stderr,
        _ => File,
    };

    public static SyslogOptions Read(SectionReader reader)
    {
        SyslogProtocol protocol = reader.OneOf("protocol", SyslogProtocol.Tcp);
        SectionReader severity = reader.Section("severity");
        string id = reader.Text("structured_data", "container@32473");
        if (id.Length > 0 && id != "none" && !DataId().IsMatch(id))
        {
            reader.Error("structured_data", $"'{id}' is no name for structured data: use name@number with your private enterprise number, such as container@32473, or none");
        }

        return new()
        {
            Name = reader.Text("name", "syslog"),
            Targets = ReadTargets(reader, protocol),
            Protocol = protocol,
            Tls = TlsOptions.Read(reader.Section("tls")),
            Format = reader.OneOf("format", SyslogFormat.Rfc5424),
            Facility = reader.OneOf("facility", SyslogFacility.Daemon),
            Stdout = severity.OneOf("stdout", SyslogSeverity.Info),
            Stderr = severity.OneOf("stderr", SyslogSeverity.Err),
            File = severity.OneOf("file", SyslogSeverity.Info),
            AppNameField = reader.Text("app_name", "container.name"),
            StructuredDataId = id == "none" ? "" : id,
            FullTime = reader.Flag("full_time", false),
            MaxMessage = (int)reader.Size("max_message", 8192, 480, protocol == SyslogProtocol.Udp ? 65_507 : 16 << 20),
            Oversize = reader.OneOf("oversize", SyslogOversize.Split),
            Newlines = reader.OneOf("newlines", SyslogNewlines.Keep),
            Timeout = reader.Duration("timeout", TimeSpan.FromSeconds(30), TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)),
            FailBackAfter = reader.Duration("fail_back_after", TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
        };
    }

    /// <summary>host:port, or [address]:port for an address with colons.</summary>
    internal static bool TryParseTarget(string text, out SyslogTarget target)
    {
        int colon = text.LastIndexOf(':');
        bool isValid = ushort.TryParse(colon < 0 ? "" : text[(colon + 1)..], out ushort port) && port > 0;
        string host = colon < 0 ? "" : text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
        }
        else
        {
            isValid &= !host.Contains(':', StringComparison.Ordinal);
        }

        target = new(host, port);
        return isValid && host.Length > 0;
    }

    private static List<SyslogTarget> ReadTargets(SectionReader reader, SyslogProtocol protocol)
    {
        string defaultTarget = protocol == SyslogProtocol.Tls ? "127.0.0.1:6514" : "127.0.0.1:514";
        List<SyslogTarget> targets = [];
        IReadOnlyList<string> texts = reader.TextList("targets", defaultTarget);
        foreach (string text in texts)
        {
            if (TryParseTarget(text, out SyslogTarget target))
            {
                targets.Add(target);
            }
            else
            {
                reader.Error("targets", $"'{text}' is no receiver: use HOST:PORT, such as logs.example.org:514 or [::1]:514");
            }
        }

        if (texts.Count == 0)
        {
            reader.Error("targets", "is empty: give at least one HOST:PORT");
        }

        return targets;
    }

    [GeneratedRegex(@"^[A-Za-z0-9._-]{1,20}@[0-9][0-9.]{0,10}$")]
    private static partial Regex DataId();
}
