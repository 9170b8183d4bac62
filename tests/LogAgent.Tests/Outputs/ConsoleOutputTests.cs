using System.IO.Pipes;
using System.Text;
using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Tailing;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Outputs;

public class ConsoleOutputTests
{
    private const long Nanos = 1_763_670_946_685_148_284; // 2025-11-20T20:35:46.685148284Z

    private static TailTarget Target(string name) => new()
    {
        Id = name,
        Path = "/x/y.log",
        Format = TailFormat.DockerJson,
        Fields = new([new("container.name", name)], []),
    };

    private static string Lines(BatchBuilder builder, bool colour = false, TimeZoneInfo? zone = null)
    {
        using ConsoleEncoder encoder = new(colour, zone ?? TimeZoneInfo.Utc);
        using ByteBuffer buffer = new(100);
        encoder.Write(buffer, builder.BuildGroup());
        return Encoding.UTF8.GetString(buffer.Written);
    }

    private static string Text(byte[] message, RecordFlags flags = RecordFlags.None)
    {
        string line = Lines(new BatchBuilder { Target = Target("web") }.Add(message, flags, nanos: Nanos));
        return line["2025-11-20 20:35:46.685 web | ".Length..^1];
    }

    [Fact]
    public void A_record_is_one_line_with_time_name_and_stream()
    {
        string lines = Lines(new BatchBuilder { Target = Target("web-1") }
            .Add("hello", nanos: Nanos)
            .Add("""a \"b\"\u003c\t\u00e9""", RecordFlags.Escaped | RecordFlags.Truncated, stream: LogStream.Stderr, nanos: Nanos)
            .Add("gone", RecordFlags.Gap, stream: LogStream.None, nanos: Nanos));
        Assert.Equal(
            "2025-11-20 20:35:46.685 web-1 | hello\n2025-11-20 20:35:46.685 web-1 ! a \"b\"<\té [truncated]\n2025-11-20 20:35:46.685 web-1 ~ gone\n",
            lines);
    }

    [Fact]
    public void The_time_is_local()
    {
        TimeZoneInfo zone = TimeZoneInfo.CreateCustomTimeZone("z", TimeSpan.FromMinutes(330), "z", "z");
        Assert.StartsWith("2025-11-21 02:05:46.685 web | a", Lines(new BatchBuilder { Target = Target("web") }.Add("a", nanos: Nanos), zone: zone));
    }

    [Theory]
    [InlineData("\u001b[2Jx", "\\x1b[2Jx")]
    [InlineData("a\nb\r\0", "a\\nb\\x0d\\x00")]
    [InlineData("\u009b31m\u007f", "\\x9b31m\\x7f")]
    [InlineData("grüße 😀 日本", "grüße 😀 日本")]
    public void What_a_terminal_could_obey_is_shown_instead(string message, string shown) => Assert.Equal(shown, Text(Encoding.UTF8.GetBytes(message)));

    [Fact]
    public void Invalid_text_is_replaced() => Assert.Equal("a\uFFFDb\uFFFD", Text([0x61, 0xFF, 0x62, 0xC3]));

    [Fact]
    public void Escaped_control_bytes_are_harmless_too() => Assert.Equal("\\x1bc\\n", Text("\\u001bc\\n"u8.ToArray(), RecordFlags.Escaped));

    [Fact]
    public void A_name_has_its_own_colour_and_an_evil_name_is_harmless()
    {
        string line = Lines(new BatchBuilder { Target = Target("we\u001bb") }.Add("a", nanos: Nanos), colour: true);
        Assert.Contains($"\u001b[38;5;{ConsoleEncoder.ColourOf("we\\x1bb"u8)}mwe\\x1bb\u001b[0m", line);
        Assert.True(Enumerable.Range(0, 100).Select(i => ConsoleEncoder.ColourOf(Encoding.ASCII.GetBytes($"web-{i}"))).Distinct().Count() > 8);
    }

    [Fact]
    public async Task Json_prints_documents()
    {
        string path = Path.GetTempFileName();
        using (FileStream file = new(path, FileMode.Open, FileAccess.Write))
        {
            await using ConsoleOutput output = new("console", new() { Format = ConsoleFormat.Json }, new(Schema.Flat), TimeProvider.System, (int)file.SafeFileHandle.DangerousGetHandle());
            await output.SendAsync(new BatchBuilder().Add("a").Add("b").BuildGroup(), CancellationToken.None);
        }

        string[] lines = File.ReadAllLines(path);
        File.Delete(path);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("{\"time\":\"1970-01-01T00:00:00.000000000Z\",\"log\":\"a\"", lines[0]);
    }

    [Fact]
    public async Task A_reader_that_has_gone_ends_the_output_and_nothing_counts_as_delivered()
    {
        using AnonymousPipeServerStream writer = new(PipeDirection.Out);
        AnonymousPipeClientStream reader = new(PipeDirection.In, writer.GetClientHandleAsString());
        await using ConsoleOutput output = new("console", new(), new(Schema.Ecs), TimeProvider.System, (int)writer.SafePipeHandle.DangerousGetHandle());
        await output.SendAsync(new BatchBuilder().Add("a").BuildGroup(), CancellationToken.None);
        byte[] read = new byte[1000];
        Assert.EndsWith("| a\n", Encoding.UTF8.GetString(read, 0, reader.Read(read)));
        reader.Dispose();
        writer.DisposeLocalCopyOfClientHandle();
        await Assert.ThrowsAsync<OutputClosedException>(() => output.SendAsync(new BatchBuilder().Add("b").BuildGroup(), CancellationToken.None));
    }
}
