using System.Globalization;
using System.Text;
using LogAgent.Tailing;
using LogAgent.Tailing.Parsing;

namespace LogAgent.Tests.Tailing.Parsing;

/// <summary>The scan of many lines says the same as the parser of one, or leaves the line to it.</summary>
public class DockerJsonRunTests
{
    private static readonly string[] Texts =
    [
        "", "a", "plain text of some length that is longer than one step of the scan", "\\u003cb\\u003e \\\"c\\\" \\\\ \\u0009", "ü€𝄞 at the end ü", "a\\r", "\\r", "\\\\r", "\\\\",
        "{\\\"level\\\":\\\"info\\\",\\\"msg\\\":\\\"nested \\\\\\\"json\\\\\\\" \\\"}", "thirty-one bytes and an escape \\n in the middle of it", "\\/\\b\\f\\t",
        // left to the parser, or damaged
        "\\x", "\\u00g0", "\\u12", "\"", "a\tb", "\\", "\u007f",
    ];

    private static readonly string[] Ends = ["\\n", "\\n", "\\n", "\\n", "\\r\\n", "", "\\\\n", "\\n "];

    private static readonly string[] Times =
    [
        "2026-11-20T20:35:46.685148284Z", "2026-11-20T20:35:59.000000001Z", "2026-11-20T20:36:00Z", "2026-11-20T20:35:46.5Z", "2026-11-20T20:35:46.12345678Z", "1969-12-31T23:59:59.999999999Z",
        "2026-12-31T23:59:60.5Z", "2026-11-20T20:35:60.5Z", "2026-11-20T20:35:46.685148284+01:00", "2026-11-20T20:35:46.1234567891Z", "2026-11-20T20:35:46.Z", "2026-11-20T20:35:4x.5Z", "2026-11-20T20:35:46.68514x284Z",
        "2026-11-20t20:35:46z", "2026-13-20T20:35:46Z", "2026-11-20T20:35", "",
    ];

    private static readonly string[] Streams = ["stdout", "stdout", "stderr", "stdxxx"];

    [Fact]
    public void Each_line_that_it_takes_is_the_record_that_the_parser_makes()
    {
        Random random = new(20261120);
        DockerJsonRun run = new();
        DockerJsonParser parser = new();
        int taken = 0;
        for (int round = 0; round < 3000; round++)
        {
            byte[] data = Lines(random, out List<int> starts);
            BatchBuffer batch = Filled(data, starts.Count + 1);
            int line = 0;
            while (line < starts.Count)
            {
                int before = batch.Count;
                int position = run.Take(batch, starts[line], data.Length, 1000, 50, 200);
                for (int i = before; i < batch.Count; i++, line++)
                {
                    taken++;
                    LogRecord record = Parsed(parser, batch, starts[line], Length(starts, line, data), out LineKind kind);
                    Assert.Equal(LineKind.Record, kind);
                    Assert.Equal(Shown(record), Shown(batch.Taken[i]));
                }

                Assert.Equal(line < starts.Count ? starts[line] : data.Length, position);
                line++; // what it has left
            }
        }

        Assert.True(taken > 3000, $"{taken} lines were taken");
    }

    [Fact]
    public void It_takes_every_line_of_the_exact_form_but_those_at_the_very_end()
    {
        string text = string.Concat(Enumerable.Range(0, 500).Select(i => TailRig.Json($"line {i} \\\"x\\\" ü\\n", i % 3 == 0 ? "stderr" : "stdout", time: $"2026-11-20T20:{i / 100:00}:{i % 60:00}.{i}5Z")));
        byte[] data = Encoding.UTF8.GetBytes(text);
        BatchBuffer batch = Filled(data, 512);
        int position = new DockerJsonRun().Take(batch, 0, data.Length, 0, 0, 1000);
        Assert.InRange(batch.Count, 498, 500);
        Assert.True(data.Length - position <= 300, $"{data.Length - position} bytes were left");
    }

    [Fact]
    public void A_line_that_is_not_whole_stays()
    {
        byte[] whole = Encoding.UTF8.GetBytes(TailRig.Json("a\\n") + TailRig.Json("b\\n"));
        byte[] data = [.. whole, .. new byte[100]]; // zeros beyond the end, as in a buffer
        int first = whole.Length / 2;
        for (int end = 0; end < whole.Length; end++)
        {
            BatchBuffer batch = Filled(data, 16);
            int position = new DockerJsonRun().Take(batch, 0, end, 0, 0, 1000);
            Assert.True(position <= end, $"{position} of {end}");
            Assert.Equal(position / first, batch.Count);
        }
    }

    private static string Shown(in LogRecord record) => string.Create(
        CultureInfo.InvariantCulture,
        $"{record.MessageStart}+{record.MessageLength} {record.TimeStart}+{record.TimeLength} {record.Stream} {record.Flags} {record.TimeNanos} {record.Offset} {record.Sequence}");

    private static int Length(List<int> starts, int line, byte[] data) => (line + 1 < starts.Count ? starts[line + 1] : data.Length) - starts[line];

    private static LogRecord Parsed(DockerJsonParser parser, BatchBuffer batch, int start, int length, out LineKind kind)
    {
        LogRecord record = default;
        record.Offset = 1000 + start;
        record.Sequence = 50 + record.Offset;
        kind = parser.Parse(batch, start, length, ref record);
        return record;
    }

    private static BatchBuffer Filled(byte[] data, int records)
    {
        BatchBuffer batch = new(new MemoryBudget(1 << 30));
        Assert.True(batch.TryStart(data.Length, records));
        data.CopyTo(batch.Buffer, 0);
        batch.Used = data.Length;
        return batch;
    }

    private static byte[] Lines(Random random, out List<int> starts)
    {
        using MemoryStream data = new();
        starts = [];
        for (int i = random.Next(1, 12); i > 0; i--)
        {
            starts.Add((int)data.Length);
            StringBuilder text = new();
            for (int part = random.Next(4); part >= 0; part--)
            {
                text.Append(Texts[random.Next(random.Next(4) == 0 ? Texts.Length : Texts.Length - 7)]);
            }

            string time = Times[random.Next(random.Next(3) == 0 ? Times.Length : 3)];
            byte[] line = Encoding.UTF8.GetBytes($"{{\"log\":\"{text}{Ends[random.Next(Ends.Length)]}\",\"stream\":\"{Streams[random.Next(Streams.Length)]}\",\"time\":\"{time}\"}}\n");
            if (random.Next(6) == 0)
            {
                line[random.Next(line.Length - 1)] = (byte)random.Next(11, 256); // any damage but another line
            }

            data.Write(line);
        }

        return data.ToArray();
    }
}
