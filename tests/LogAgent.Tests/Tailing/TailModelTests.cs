using System.Globalization;
using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

/// <summary>Many seeds of the model. LOGAGENT_TEST_SEEDS=first:count runs others, or just that many.</summary>
public class TailModelTests
{
    [Fact]
    public void No_record_of_docker_is_lost_whatever_happens() => RunSeeds(TailFormat.DockerJson);

    [Fact]
    public void No_line_of_a_plain_file_is_lost_whatever_happens() => RunSeeds(TailFormat.PlainText);

    private static void RunSeeds(TailFormat format)
    {
        string[] wanted = (Environment.GetEnvironmentVariable("LOGAGENT_TEST_SEEDS") ?? "0:30").Split(':');
        int first = wanted.Length > 1 ? int.Parse(wanted[0], CultureInfo.InvariantCulture) : 0;
        int count = int.Parse(wanted[^1], CultureInfo.InvariantCulture);
        for (int seed = first; seed < first + count; seed++)
        {
            using TailModel model = new(seed, format);
            try
            {
                model.Run(150);
            }
            catch (Exception e)
            {
                Assert.Fail($"Seed {seed} of {format} (LOGAGENT_TEST_SEEDS={seed}:1): {e.Message}\n{e.StackTrace}\n{model.Story}");
            }
        }
    }
}
