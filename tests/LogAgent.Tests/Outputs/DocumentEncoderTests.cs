using System.Text;
using System.Text.Json;
using LogAgent.Outputs;
using LogAgent.Tailing;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Outputs;

public class DocumentEncoderTests
{
    private const string Time = "2026-11-20T20:35:46.685148284Z";

    [Fact]
    public void An_ecs_document_has_the_documented_members_in_the_documented_order()
    {
        BatchBuilder batch = new() { Target = Target("\"host\":{\"name\":\"h1\"}", "/logs/a.log") };
        batch.Add("a\\tb", RecordFlags.Escaped | RecordFlags.Truncated, Time, offset: 1234, sequence: 99);
        Assert.Equal(
            """{"@timestamp":"2026-11-20T20:35:46.685148284Z","message":"a\tb","stream":"stdout","host":{"name":"h1"},"log":{"file":{"path":"/logs/a.log"},"offset":1234,"flags":["truncated"]},"event":{"sequence":99}}""",
            Encode(batch));
    }

    [Fact]
    public void A_flat_document_has_the_documented_members_in_the_documented_order()
    {
        BatchBuilder batch = new() { Target = Target("\"hostname\":\"h1\"", "/logs/a.log") };
        batch.Add("x", RecordFlags.Escaped | RecordFlags.Corrupt | RecordFlags.Gap | RecordFlags.Binary, Time, LogStream.Stderr, offset: 1234, sequence: 99);
        Assert.Equal(
            """{"time":"2026-11-20T20:35:46.685148284Z","log":"x","stream":"stderr","hostname":"h1","log_path":"/logs/a.log","log_offset":1234,"log_flags":["corrupt","gap","binary"],"sequence":99}""",
            Encode(batch, Schema.Flat));
    }

    [Theory]
    [InlineData((int)Schema.Ecs, """{"@timestamp":"1970-01-01T00:00:00.000000007Z","message":"m","log":{"offset":0},"event":{"sequence":0}}""")]
    [InlineData((int)Schema.Flat, """{"time":"1970-01-01T00:00:00.000000007Z","log":"m","log_offset":0,"sequence":0}""")]
    public void What_a_record_does_not_have_is_left_out(int schema, string expected)
    {
        BatchBuilder batch = new();
        batch.Add("m", stream: LogStream.None, nanos: 7);
        Assert.Equal(expected, Encode(batch, (Schema)schema));
    }

    [Fact]
    public void A_plain_message_is_escaped()
    {
        string all = string.Concat(Enumerable.Range(0, 128).Select(i => (char)i)) + "äß€😀\u2028";
        BatchBuilder batch = new();
        batch.Add(all);
        Assert.Equal(all, MessageOf(Encode(batch)));
    }

    [Fact]
    public void Invalid_utf8_is_replaced_and_the_rest_kept()
    {
        byte[] bytes = [.. "a\"b"u8, 0xFF, 0xC3, .. "c"u8, 0xF0, 0x9F, 0x98, .. "ä"u8, 0x80];
        string expected = Encoding.UTF8.GetString(bytes);
        BatchBuilder batch = new();
        batch.Add(bytes, RecordFlags.Binary);
        Assert.Equal(expected, MessageOf(Encode(batch)));
        Assert.Contains("\uFFFD", expected);
    }

    [Fact]
    public void Invalid_utf8_in_an_escaped_message_is_replaced_without_touching_its_escapes()
    {
        BatchBuilder batch = new();
        batch.Add([.. "a\\n"u8, 0xFF, .. "\\\"b"u8], RecordFlags.Escaped | RecordFlags.Binary);
        Assert.Equal("a\n\uFFFD\"b", MessageOf(Encode(batch)));
    }

    [Theory]
    [InlineData("aäb", 2, "a")]
    [InlineData("aäb", 3, "aä")]
    [InlineData("a😀b", 4, "a")]
    [InlineData("a😀b", 5, "a😀")]
    [InlineData("abc", 0, "")]
    public void A_plain_message_is_cut_at_the_boundary_of_a_character(string message, int limit, string expected)
    {
        BatchBuilder batch = new();
        batch.Add(message);
        string document = Encode(batch, limit: limit);
        Assert.Equal(expected, MessageOf(document));
        Assert.Contains("\"flags\":[\"truncated\"]", document);
    }

    [Theory]
    [InlineData(@"ab\ncd", 3, "ab")]
    [InlineData(@"ab\ncd", 4, "ab\n")]
    [InlineData(@"ab\u0009cd", 7, "ab")]
    [InlineData(@"ab\u0009cd", 8, "ab\t")]
    [InlineData(@"\\\\n", 3, @"\")]
    [InlineData(@"\\\\n", 4, @"\\")]
    [InlineData(@"\\u00412", 5, @"\u00")]
    [InlineData(@"a\ud83d\ude00b", 7, "a")]
    [InlineData(@"a\ud83d\ude00b", 12, "a")]
    [InlineData(@"a\uD83D\uDE00b", 13, "a😀")]
    [InlineData("aä\\n", 2, "a")]
    public void An_escaped_message_is_cut_at_the_boundary_of_an_escape(string message, int limit, string expected)
    {
        BatchBuilder batch = new();
        batch.Add(message, RecordFlags.Escaped);
        Assert.Equal(expected, MessageOf(Encode(batch, limit: limit)));
    }

    [Fact]
    public void Every_cut_of_a_long_escaped_message_is_a_valid_document()
    {
        string escaped = @"a\\\""\u00e4ß€\ud83d\ude00\\\\\\\n\\u12" + "x😀";
        for (int limit = 0; limit < Encoding.UTF8.GetByteCount(escaped); limit++)
        {
            BatchBuilder batch = new();
            batch.Add(escaped, RecordFlags.Escaped);
            Assert.DoesNotContain('\uFFFD', MessageOf(Encode(batch, limit: limit)));
        }
    }

    [Fact]
    public void A_path_with_a_quote_is_escaped()
    {
        BatchBuilder batch = new() { Target = Target("", "/logs/a\"b\\ü.log") };
        batch.Add("m");
        using JsonDocument document = JsonDocument.Parse(Encode(batch));
        Assert.Equal("/logs/a\"b\\ü.log", document.RootElement.GetProperty("log").GetProperty("file").GetProperty("path").GetString());
    }

    [Fact]
    public void Encoding_allocates_nothing()
    {
        BatchBuilder builder = new() { Target = Target("\"host\":{\"name\":\"h1\"}", "/logs/a\"b.log") };
        builder.Add("spliced \\n", RecordFlags.Escaped, Time).Add("plain\t\u0001 ä").Add([0xFF, 0x41], RecordFlags.Binary | RecordFlags.Truncated);
        LogBatch batch = builder.Build();
        DocumentEncoder encoder = new(Schema.Ecs);
        using ByteBuffer buffer = new(4096);
        WriteAll();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            WriteAll();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void WriteAll()
        {
            buffer.Clear();
            foreach (ref readonly LogRecord record in batch.Records)
            {
                encoder.Write(buffer, batch, record);
                encoder.Write(buffer, batch, record, 3);
            }
        }
    }

    private static TailTarget Target(string fields, string? path) => new()
    {
        Id = "container:test",
        Path = "/logs/test.log",
        Format = TailFormat.DockerJson,
        Fields = new([], Encoding.UTF8.GetBytes(fields)),
        ShownPath = path,
    };

    private static string Encode(BatchBuilder builder, Schema schema = Schema.Ecs, int limit = int.MaxValue)
    {
        LogBatch batch = builder.Build();
        using ByteBuffer buffer = new(16);
        new DocumentEncoder(schema).Write(buffer, batch, batch.Records[0], limit);
        return new UTF8Encoding(false, true).GetString(buffer.Written);
    }

    private static string MessageOf(string document)
    {
        using JsonDocument parsed = JsonDocument.Parse(document);
        return parsed.RootElement.GetProperty("message").GetString()!;
    }
}
