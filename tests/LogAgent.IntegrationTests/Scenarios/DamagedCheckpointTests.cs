using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

[Trait("Scenario", "2")]
public sealed class DamagedCheckpointTests : Scenario
{
    [ScenarioFact]
    public Task A_torn_checkpoint_loses_nothing_and_doubles_nothing() => SurvivesAsync(files => OnEach(files, file =>
    {
        using FileStream stream = File.OpenWrite(file);
        stream.SetLength(stream.Length / 2);
    }));

    [ScenarioFact]
    public Task A_zeroed_checkpoint_loses_nothing_and_doubles_nothing() =>
        SurvivesAsync(files => OnEach(files, file => File.WriteAllBytes(file, new byte[new FileInfo(file).Length])));

    [ScenarioFact]
    public Task A_lost_state_directory_loses_nothing_and_doubles_nothing() => SurvivesAsync(files => OnEach(files, File.Delete));

    [ScenarioFact]
    public async Task An_older_checkpoint_loses_nothing_and_doubles_nothing()
    {
        string older = Folder["older/."];
        await SurvivesAsync(
            files =>
            {
                OnEach(files, File.Delete);
                Copy(Path.GetDirectoryName(older)!, StateDirectory);
            },
            () => Copy(StateDirectory, Path.GetDirectoryName(older)!));
    }

    /// <param name="damage">Gets the files of the state directory of the stopped agent.</param>
    /// <param name="atHalf">Called between two runs of the agent, when half is shipped.</param>
    private async Task SurvivesAsync(Action<string[]> damage, Action? atHalf = null)
    {
        DockerTree tree = NewTree();
        FakeContainer[] containers = [tree.Add("first"), tree.Add("second", compress: true)];
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        string configuration = TreeConfiguration(tree, Elasticsearch(store.Url));
        foreach (Action? between in new[] { atHalf, () => damage(Directory.GetFiles(StateDirectory, "*", SearchOption.AllDirectories)) })
        {
            foreach (FakeContainer container in containers)
            {
                container.WriteSequence(700);
                container.Rotate();
                container.WriteSequence(300);
            }

            AgentProcess agent = StartAgent(configuration);
            await WaitForAllAsync(store.Stored, () => tree.Written);
            Assert.Equal(0, await agent.StopAsync());
            between?.Invoke();
        }

        foreach (FakeContainer container in containers)
        {
            container.WriteSequence(500);
        }

        StartAgent(configuration);
        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
    }

    private static void OnEach(string[] files, Action<string> action)
    {
        foreach (string file in files.Where(file => new FileInfo(file).Length > 0))
        {
            action(file);
        }
    }

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: true);
        }
    }
}
