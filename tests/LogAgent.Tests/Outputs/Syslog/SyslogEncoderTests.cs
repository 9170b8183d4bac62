using System.Text;
using LogAgent.Delivery;
using LogAgent.Outputs.Syslog;
using LogAgent.Tailing;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Outputs.Syslog;

public class SyslogEncoderTests
{
    private const string Id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private const long Nanos = 1_763_670_946_685_148_284; // 2025-11-20T20:35:46.685148284Z

    [Fact]
    public void A_record_becomes_rfc5424_with_names_time_and_structured_data() =>
        Assert.Equal(
            "<30>1 2025-11-20T20:35:46.685148Z node1 web 0123456789ab - [container@32473 id=\"" + Id + "\" name=\"web\" image=\"team/app\" tag=\"1.2\" stream=\"stdout\"] hello",
            Assert.Single(Messages(Udp, Builder().Add("hello", nanos: Nanos).BuildGroup())));

    [Fact]
    public void Octet_counting_counts_bytes()
    {
        string all = Text(Udp with { Protocol = SyslogProtocol.Tcp, StructuredDataId = "" }, Builder().Add("ä", nanos: Nanos).Add("b", nanos: Nanos).BuildGroup());
        string head = "<30>1 2025-11-20T20:35:46.685148Z node1 web 0123456789ab - - ";
        Assert.Equal($"{head.Length + 2} {head}ä{head.Length + 1} {head}b", all);
    }

    [Fact]
    public void The_severity_follows_the_stream()
    {
        List<string> messages = Messages(
            Udp with { Facility = SyslogFacility.Local0, File = SyslogSeverity.Notice },
            Builder().Add("a").Add("b", stream: LogStream.Stderr).Add("c", stream: LogStream.None).BuildGroup());
        Assert.Equal(["<134>", "<131>", "<133>"], messages.Select(message => message[..5]));
    }

    [Fact]
    public void Rfc3164_has_the_old_time_a_tag_and_no_structured_data() =>
        Assert.Equal(
            ["<30>Nov 20 20:35:46 node1 web[0123456789ab]: hello", "<30>Jan  1 00:00:00 node1 web[0123456789ab]: old"],
            Messages(Udp with { Format = SyslogFormat.Rfc3164 }, Builder().Add("hello", nanos: Nanos).Add("old").BuildGroup()));

    [Fact]
    public void An_escaped_message_is_sent_as_the_bytes_that_were_written()
    {
        List<string> messages = Messages(Bare, Builder().Add("tab\\tquote\\\" \\u00e4\\nline", RecordFlags.Escaped).BuildGroup());
        Assert.EndsWith(" - - tab\tquote\" ä\nline", Assert.Single(messages), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "a\nb\tc\u0001d")]
    [InlineData(1, "a b\tc d")]
    [InlineData(2, "a#012b\tc#001d")]
    public void Line_endings_and_control_characters_follow_the_rule(int newlines, string expected)
    {
        List<string> messages = Messages(Bare with { Newlines = (SyslogNewlines)newlines }, Builder().Add("a\nb\tc\u0001d").BuildGroup());
        Assert.EndsWith(" - - " + expected, Assert.Single(messages), StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_record_is_split_at_characters_and_its_pieces_are_numbered()
    {
        string text = string.Concat(Enumerable.Range(0, 500).Select(i => $"{i:000}ä"));
        List<string> messages = Messages(Udp with { MaxMessage = 1000 }, Builder().Add(text).BuildGroup());
        Assert.All(messages, message => Assert.InRange(Encoding.UTF8.GetByteCount(message), 1, 1000));
        Assert.Equal(Enumerable.Range(1, messages.Count).Select(part => $"part=\"{part}/{messages.Count}\"]"), messages.Select(message => message[message.IndexOf("part=", StringComparison.Ordinal)..(message.IndexOf(']') + 1)]));
        Assert.Equal(text, string.Concat(messages.Select(message => message[(message.IndexOf("] ", StringComparison.Ordinal) + 2)..])));
    }

    [Fact]
    public void A_long_record_is_cut_and_flagged_where_that_is_asked_for()
    {
        string message = Assert.Single(Messages(Udp with { MaxMessage = 600, Oversize = SyslogOversize.Truncate }, Builder().Add(new string('x', 5000)).BuildGroup()));
        Assert.InRange(message.Length, 500, 600);
        Assert.Contains(" truncated=\"true\"] xxx", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_of_structured_data_are_escaped_and_names_are_printable()
    {
        BatchBuilder builder = Builder(("container.name", "we b\"]\\"), ("host.name", "nöde"));
        string message = Assert.Single(Messages(Udp, builder.Add("m").BuildGroup()));
        Assert.Contains("name=\"we b\\\"\\]\\\\\"", message, StringComparison.Ordinal);
        Assert.Contains(" n_de we_b\"]\\ ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_full_time_stands_in_the_structured_data_where_it_is_asked_for()
    {
        string message = Assert.Single(Messages(Udp with { FullTime = true }, Builder().Add("m", nanos: Nanos).BuildGroup()));
        Assert.Contains(" time=\"2025-11-20T20:35:46.685148284Z\"", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Structured_data_that_leaves_no_room_is_left_out()
    {
        string message = Assert.Single(Messages(Udp with { MaxMessage = 480 }, Builder(("container.image.name", new string('i', 1000))).Add("m", nanos: Nanos).BuildGroup()));
        Assert.EndsWith("0123456789ab - - m", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plain_file_is_named_after_itself()
    {
        BatchBuilder builder = new() { Target = new() { Id = "f", Path = "/host/x", ShownPath = "/logs/billing.log", Format = TailFormat.PlainText, Fields = FieldSet.Empty } };
        string message = Assert.Single(Messages(Udp, builder.Add("m", stream: LogStream.None, nanos: Nanos).BuildGroup()));
        Assert.Equal("<30>1 2025-11-20T20:35:46.685148Z - billing - - [container@32473 path=\"/logs/billing.log\"] m", message);
    }

    [Fact]
    public void The_steady_state_allocates_nothing_a_record()
    {
        using SyslogEncoder encoder = new(Udp, TimeZoneInfo.Utc);
        BatchBuilder builder = Builder();
        for (int i = 0; i < 1000; i++)
        {
            builder.Add("a message \\\"of\\\" some length", RecordFlags.Escaped, nanos: Nanos);
        }

        RecordGroup group = builder.BuildGroup();
        encoder.Encode(group);
        encoder.Encode(group);
        long before = GC.GetAllocatedBytesForCurrentThread();
        encoder.Encode(group);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 512);
    }

    private static SyslogOptions Udp => new() { Targets = [new("127.0.0.1", 514)], Protocol = SyslogProtocol.Udp };

    private static SyslogOptions Bare => Udp with { StructuredDataId = "" };

    private static BatchBuilder Builder(params (string Name, string Value)[] changed)
    {
        Dictionary<string, string> fields = new()
        {
            ["host.name"] = "node1",
            ["container.id"] = Id,
            ["container.name"] = "web",
            ["container.image.name"] = "team/app",
            ["container.image.tag"] = "1.2",
        };
        foreach ((string name, string value) in changed)
        {
            fields[name] = value;
        }

        return new() { Target = new() { Id = "container:web", Path = "/x", Format = TailFormat.DockerJson, Fields = new(fields, []) } };
    }

    private static List<string> Messages(SyslogOptions options, RecordGroup group)
    {
        using SyslogEncoder encoder = new(options, TimeZoneInfo.Utc);
        encoder.Encode(group);
        List<string> messages = [];
        int start = 0;
        foreach (int end in encoder.Ends)
        {
            messages.Add(Encoding.UTF8.GetString(encoder.Frames.Span[start..end]));
            start = end;
        }

        return messages;
    }

    private static string Text(SyslogOptions options, RecordGroup group)
    {
        using SyslogEncoder encoder = new(options, TimeZoneInfo.Utc);
        encoder.Encode(group);
        return Encoding.UTF8.GetString(encoder.Frames.Span);
    }
}
