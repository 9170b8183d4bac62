using System.Globalization;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

[Trait("Scenario", "3")]
public sealed class LocalDriverTests : Scenario
{
    private const int Rounds = 12;
    private const int Lines = 150;

    // A round is written when its file is there: 150 lines on each stream, some of them empty or long. It makes two rotations.
    private static readonly string[] WriteByRound =
    [
        "sh", "-c",
        """
        long=$(head -c 20000 /dev/zero | tr '\0' x)
        r=0; i=0
        while [ $r -lt 12 ]; do
            until [ -e /go/$r ]; do sleep 0.05; done
            end=$((i+150))
            while [ $i -lt $end ]; do
                echo "seq source=local n=$i of stdout"
                if [ $i = $((end-75)) ]; then echo "seq source=local-err n=$i $long" >&2; echo >&2; else echo "seq source=local-err n=$i of stderr" >&2; fi
                i=$((i+1))
            done
            r=$((r+1))
        done
        """,
    ];

    [ScenarioFact(Needs.Docker)]
    public async Task A_container_with_the_local_driver_loses_and_doubles_nothing_over_rotations_and_a_kill()
    {
        DockerEngine engine = Own(await DockerEngine.ConnectAsync());
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        string go = Path.GetDirectoryName(Folder["go/."])!;
        Directory.CreateDirectory(go);
        string configuration = EngineConfiguration(engine.Socket, engine.Prefix, Elasticsearch(store.Url));
        StartAgent(configuration);
        string id = await engine.StartAsync(
            "local",
            ["--detach", "--volume", go + ":/go:ro", "--log-driver", "local", "--log-opt", "max-size=20k", "--log-opt", "max-file=8"],
            WriteByRound);
        for (int round = 0; round < Rounds; round++)
        {
            if (round % 4 == 3)
            {
                // The files that the engine keeps hold more than what a checkpoint that is a round old and a starting agent have to read.
                await Agent!.KillAsync();
                StartAgent(configuration);
            }

            await File.WriteAllTextAsync(Path.Combine(go, round.ToString(CultureInfo.InvariantCulture)), "");
            await WaitForAllAsync(store.Stored, () => Written((round + 1) * Lines));
        }

        string[] files = Directory.GetFiles(Path.Combine(engine.DataRoot, "containers", id, "local-logs"));
        Assert.Contains(files, file => file.Contains("container.log.2", StringComparison.Ordinal));
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(Written(Rounds * Lines)));
        Assert.Equal(Rounds, store.Documents.Count(document => document.Contains(new string('x', 20_000), StringComparison.Ordinal)));
        Assert.DoesNotContain(store.Documents, document => document.Contains("logagent:", StringComparison.Ordinal));
        Assert.Equal((Rounds * Lines * 2) + Rounds, store.Documents.Count);
    }

    private static Dictionary<string, long> Written(long lines) => new() { ["local"] = lines, ["local-err"] = lines };
}
