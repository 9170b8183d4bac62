using System.Collections.Concurrent;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

[Trait("Scenario", "12")]
public sealed class FaultyServerTests : Scenario
{
    private const int Lines = 4000;

    [ScenarioFact]
    public async Task Items_that_are_throttled_are_sent_again()
    {
        (DockerTree tree, DocumentStore store) = await PrepareAsync();
        var refused = new ConcurrentDictionary<string, bool>();
        store.ItemFault = (id, _) => Hash(id) % 10 < 3 && refused.TryAdd(id, true) ? new StoreFault(429, "es_rejected_execution_exception") : null;
        await ArrivesAsync(tree, store);
        Assert.NotEmpty(refused);
    }

    [ScenarioFact]
    public async Task Requests_that_are_refused_cut_or_too_large_cost_no_line()
    {
        (DockerTree tree, DocumentStore store) = await PrepareAsync();
        store.RequestFault = (number, length) => number switch
        {
            _ when length > 150_000 => new StoreFault(413),
            > 10 and <= 13 when Machine.Full => new StoreFault(503, "unavailable"),
            _ when number % 7 == 1 => new StoreFault(503, "unavailable"),
            _ when number % 7 == 3 => new StoreFault(0, StoreFirst: true),
            _ when number % 7 == 4 => new StoreFault(0),
            _ when number % 7 == 6 => new StoreFault(429, "es_rejected_execution_exception"),
            _ => null,
        };
        await ArrivesAsync(tree, store);
        Assert.True(store.Conflicts > 0, "Nothing was sent again that was stored.");
    }

    [ScenarioFact]
    public async Task A_server_that_does_not_know_the_agent_for_a_while_gets_everything_afterwards()
    {
        (DockerTree tree, DocumentStore store) = await PrepareAsync();
        store.RequestFault = (number, _) => number <= 3 ? new StoreFault(401, "security_exception") : null;
        await ArrivesAsync(tree, store);
    }

    [ScenarioFact]
    public async Task A_server_that_answers_late_gets_every_line_once()
    {
        (DockerTree tree, DocumentStore store) = await PrepareAsync();
        var delay = TimeSpan.FromSeconds(Machine.Full ? 30 : 3);
        store.RequestFault = (number, _) => number <= 2 ? new StoreFault(200, StoreFirst: true, Delay: delay) : null;
        await ArrivesAsync(tree, store);
    }

    [ScenarioFact]
    public async Task Documents_that_are_refused_for_good_are_kept_as_dead_letters_and_hold_up_nobody()
    {
        (DockerTree tree, DocumentStore store) = await PrepareAsync();
        store.ItemFault = (_, document) => Number(document) % 20 == 7 ? new StoreFault(400, "document_parsing_exception") : null;
        StartAgent(TreeConfiguration(tree, Output(store)));
        long expected = tree.All.Sum(container => container.Written - (container.Written / 20));
        await WaitAsync(() => store.Stored.Distinct == expected, "all that is taken", () => $"{store.Stored.Distinct} of {expected}");
        await WaitAsync(() => DeadLetters().Count == tree.All.Count * (Lines / 20), "the rest as dead letters", () => $"{DeadLetters().Count}");
        Assert.Equal(store.Stored.Total, store.Stored.Distinct);
        Assert.All(DeadLetters(), letter => Assert.Equal(7, Number(letter) % 20));
    }

    private async Task<(DockerTree Tree, DocumentStore Store)> PrepareAsync()
    {
        DockerTree tree = NewTree();
        for (int i = 0; i < 3; i++)
        {
            tree.Add($"fault-{i}").WriteSequence(Lines, "words of an application");
        }

        return (tree, Own(await DocumentStore.StartNewAsync()));
    }

    private async Task ArrivesAsync(DockerTree tree, DocumentStore store)
    {
        StartAgent(TreeConfiguration(tree, Output(store)));
        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
    }

    // Small requests, so that each fault is met.
    private static string Output(DocumentStore store) => Elasticsearch(store.Url) + "\nbatch:\n  records: 400";

    private List<string> DeadLetters() => DeadLetterLines.Read(StateDirectory);

    private static long Number(string document)
    {
        int start = document.IndexOf(" n=", StringComparison.Ordinal) + 3;
        return long.Parse(document.AsSpan(start, document.IndexOf(' ', start) - start), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static int Hash(string text) => text.Aggregate(17, (hash, c) => ((hash * 31) + c) & 0xFFFFFF);
}
