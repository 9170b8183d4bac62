using System.Text;
using LogAgent.Tailing;

namespace LogAgent.Outputs.Syslog;

/// <summary>
/// What the syslog messages of one target share, encoded once.
/// <code>
/// rfc5424:  &lt;PRI&gt;1 TIMESTAMP | HOSTNAME APP-NAME PROCID - [container@32473 id="..." name="..." | stream="stdout"] MSG
/// rfc3164:  &lt;PRI&gt;TIMESTAMP | HOSTNAME TAG[PID]: | MSG
/// </code>
/// Names are printable ASCII without spaces and as long as the RFC allows; anything else in them becomes '_', and a name that
/// is not there is '-'.
/// </summary>
internal sealed class SyslogHeader
{
    private static readonly (string Parameter, string Field)[] Parameters =
    [
        ("id", "container.id"),
        ("name", "container.name"),
        ("image", "container.image.name"),
        ("tag", "container.image.tag"),
        ("cluster", "orchestrator.cluster.name"),
        ("service", "service.name"),
    ];

    private SyslogHeader(string names, string data)
    {
        Names = Encoding.ASCII.GetBytes(names);
        Data = Encoding.UTF8.GetBytes(data);
    }

    /// <summary>What follows the time.</summary>
    public byte[] Names { get; }

    /// <summary>The structured data without its closing bracket; empty where there is none.</summary>
    public byte[] Data { get; }

    public static SyslogHeader Of(TailTarget target, SyslogOptions options)
    {
        FieldSet fields = target.Fields;
        string host = Name(fields["host.name"], 255);
        string id = fields["container.id"] is { Length: > 0 } full ? Name(full, 12) : "-";
        string app = fields[options.AppNameField] ?? FileName(target);
        if (options.Format == SyslogFormat.Rfc3164)
        {
            // A tag ends at the first byte that is no letter or digit for many receivers; 32 is the RFC's limit.
            return new($" {host} {Name(app, 32)}{(id == "-" ? "" : $"[{id}]")}: ", "");
        }

        return new($" {host} {Name(app, 48)} {id} - ", options.StructuredDataId.Length == 0 ? "" : $"[{options.StructuredDataId}{Data5424(target)}");
    }

    /// <summary>A parameter's value: '"', '\' and ']' are escaped (RFC 5424, section 6.3.3).</summary>
    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal);

    private static string Data5424(TailTarget target)
    {
        StringBuilder data = new();
        foreach ((string parameter, string field) in Parameters)
        {
            Append(parameter, target.Fields[field]);
        }

        Append("path", target.ShownPath);
        return data.ToString();

        void Append(string parameter, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                data.Append(' ').Append(parameter).Append("=\"").Append(Escape(value)).Append('"');
            }
        }
    }

    /// <summary>A file that no container claims is named after itself: /logs/apps/billing.log gives billing.</summary>
    private static string FileName(TailTarget target) => Path.GetFileNameWithoutExtension(target.ShownPath ?? target.Path);

    private static string Name(string? value, int longest)
    {
        if (string.IsNullOrEmpty(value))
        {
            return "-";
        }

        string name = string.Create(Math.Min(value.Length, longest), value, static (letters, source) =>
        {
            for (int i = 0; i < letters.Length; i++)
            {
                letters[i] = source[i] is > ' ' and < '\x7f' ? source[i] : '_';
            }
        });
        return name;
    }
}
