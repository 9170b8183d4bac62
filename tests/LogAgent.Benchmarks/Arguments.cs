using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace LogAgent.Benchmarks;

/// <summary>The command line.</summary>
internal sealed record Arguments
{
    public const string Usage = """
        Whole-process benchmarks of the agent: the real binary, Release, on a core of its own.
          throughput   json-file logs from the page cache to a local bulk server on the other core
            --size 512MiB   bytes of log in all            --files 10     how many containers share them
            --sweep         with 1, 10, 100 and 1000 files --gzip         compressed bodies
            --kafka         to a Kafka of LOGAGENT_TEST_KAFKA instead     --runs 3   the median counts
          stages       CPU time a record of reading, parsing and encoding, inside this process
            --size, --files
          idle         100 files with nothing new for 60 s (--seconds N), from 30 s after the start on (--settle N)
        --agent PATH   another logagent.dll, or a published logagent    --yaml TEXT   lines added to the output (two spaces deep), for experiments
        """;

    public required string Command { get; init; }

    /// <summary>Bytes of log in all.</summary>
    public long Size { get; init; } = 512L << 20;

    public int Files { get; init; } = 10;

    public int Runs { get; init; } = 3;

    public int Seconds { get; init; } = 60;

    public int Settle { get; init; } = 30;

    public bool Sweep { get; init; }

    public bool Gzip { get; init; }

    public bool Kafka { get; init; }

    public string Agent { get; init; } = "";

    public string Yaml { get; init; } = "";

    public static bool TryParse(string[] args, [NotNullWhen(true)] out Arguments? arguments, out string problem)
    {
        arguments = null;
        problem = "";
        if (args.Length == 0 || args[0] is not ("throughput" or "idle" or "stages"))
        {
            problem = "The first argument is throughput, idle or stages.";
            return false;
        }

        var result = new Arguments { Command = args[0] };
        for (int i = 1; i < args.Length; i++)
        {
            string value = i + 1 < args.Length ? args[i + 1] : "";
            switch (args[i])
            {
                case "--sweep": result = result with { Sweep = true }; continue;
                case "--gzip": result = result with { Gzip = true }; continue;
                case "--kafka": result = result with { Kafka = true }; continue;
                case "--agent": result = result with { Agent = Path.GetFullPath(value) }; break;
                case "--yaml": result = result with { Yaml = value }; break;
                case "--size" when TrySize(value, out long size): result = result with { Size = size }; break;
                case "--files" when int.TryParse(value, out int files) && files > 0: result = result with { Files = files }; break;
                case "--runs" when int.TryParse(value, out int runs) && runs > 0: result = result with { Runs = runs }; break;
                case "--settle" when int.TryParse(value, out int settle) && settle > 0: result = result with { Settle = settle }; break;
                case "--seconds" when int.TryParse(value, out int seconds) && seconds > 0: result = result with { Seconds = seconds }; break;
                default:
                    problem = $"{args[i]} {value}: not understood.";
                    return false;
            }

            i++;
        }

        arguments = result;
        return true;
    }

    private static bool TrySize(string text, out long bytes)
    {
        long unit = text.EndsWith("GiB", StringComparison.Ordinal) ? 1L << 30 : text.EndsWith("MiB", StringComparison.Ordinal) ? 1L << 20 : 1;
        string digits = unit == 1 ? text : text[..^3];
        bool understood = long.TryParse(digits, CultureInfo.InvariantCulture, out long number) && number > 0;
        bytes = number * unit;
        return understood;
    }
}
