using System.Globalization;
using LogAgent.IntegrationTests.Support;
using Xunit.Abstractions;

namespace LogAgent.IntegrationTests.Scenarios;

[Trait("Scenario", "18")]
public sealed class ContainersComeAndGoTests(ITestOutputHelper output) : Scenario
{
    private const int AtOnce = 25;

    [ScenarioFact]
    public async Task A_thousand_containers_that_come_and_go_leave_no_handle_and_no_memory_behind()
    {
        int rounds = (Machine.Full ? 10_000 : 1000) / AtOnce;
        DockerTree tree = NewTree();
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        AgentProcess agent = StartAgent(TreeConfiguration(tree, Elasticsearch(store.Url) + "\nbatch:\n  age: 50ms"));
        var used = new Usage(agent);
        for (int round = 0; round < rounds; round++)
        {
            FakeContainer[] containers = [.. Enumerable.Range(0, AtOnce).Select(i => tree.Add($"guest-{round}-{i}"))];
            foreach (FakeContainer container in containers)
            {
                container.WriteSequence(20);
            }

            Dictionary<string, long> written = containers.ToDictionary(container => container.Name, container => container.Written);
            await WaitForAllAsync(store.Stored, () => written);
            foreach (FakeContainer container in containers)
            {
                container.Remove();
            }

            await WaitAsync(() => agent.OpenLogs() == 0, "the handles of removed containers are given back", () => $"{agent.OpenLogs()} are open");
            used.Look();
        }

        output.WriteLine(used.ToString());
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        used.AssertFlat();
    }

    [ScenarioFact(Needs.Docker)]
    public async Task Containers_of_an_engine_that_come_and_go_leave_no_handle_and_no_memory_behind()
    {
        int count = Machine.Full ? 1000 : 24;
        DockerEngine engine = Own(await DockerEngine.ConnectAsync());
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        AgentProcess agent = StartAgent(EngineConfiguration(engine.Socket, engine.Prefix, Elasticsearch(store.Url) + "\nbatch:\n  age: 50ms"));
        var used = new Usage(agent);
        var written = new Dictionary<string, long>();
        const int Together = 4;
        for (int first = 0; first < count; first += Together)
        {
            string[] names = [.. Enumerable.Range(first, Together).Select(i => string.Create(CultureInfo.InvariantCulture, $"guest-{i}"))];
            string[] ids = await Task.WhenAll(names.Select(name => engine.StartAsync(name, ["--detach"], DockerEngine.Count(name, 20))));
            foreach (string name in names)
            {
                written[name] = 20;
            }

            await WaitForAllAsync(store.Stored, () => names.ToDictionary(name => name, _ => 20L));
            await engine.RunAsync(["rm", "--force", .. ids]);
            await WaitAsync(() => agent.OpenLogs() == 0, "the handles of removed containers are given back", () => $"{agent.OpenLogs()} are open");
            used.Look();
        }

        output.WriteLine(used.ToString());
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(written));
        used.AssertFlat();
    }

    /// <summary>Handles and memory of an agent at moments when it has nothing to do.</summary>
    private sealed class Usage(AgentProcess agent)
    {
        // Of a process that warms up: connections, thread pool, what the runtime keeps.
        private const int HandlesOfItsOwn = 24;
        private const long KiBOfItsOwn = 48 * 1024;

        private readonly List<(int Handles, long KiB)> _looks = [];

        public void Look() => _looks.Add((agent.OpenHandles(), agent.MemoryKiB("VmRSS")));

        /// <summary>The last third is not above the first one by more than a runtime needs.</summary>
        public void AssertFlat()
        {
            int third = Math.Max(1, _looks.Count / 3);
            (int handles, long memory) = (_looks.Take(third).Max(look => look.Handles), _looks.Take(third).Max(look => look.KiB));
            Assert.InRange(_looks[^third..].Max(look => look.Handles), 0, handles + HandlesOfItsOwn);
            Assert.InRange(_looks[^third..].Max(look => look.KiB), 0, memory + KiBOfItsOwn);
        }

        public override string ToString() => string.Join("; ", _looks.Where((_, i) => i % Math.Max(1, _looks.Count / 10) == 0 || i == _looks.Count - 1)
            .Select(look => $"{look.Handles} handles, {look.KiB / 1024} MiB"));
    }
}
