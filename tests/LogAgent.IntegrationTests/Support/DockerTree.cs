namespace LogAgent.IntegrationTests.Support;

/// <summary>A data root as dockerd leaves it, for <c>docker.discovery: files</c>: the same scenarios in a fraction of the time.</summary>
internal sealed class DockerTree : IDisposable
{
    private readonly List<FakeContainer> _containers = [];

    public DockerTree(string root)
    {
        Root = root;
        Directory.CreateDirectory(Containers);
    }

    public string Root { get; }

    public IReadOnlyList<FakeContainer> All => _containers;

    /// <summary>Lines written so far, by container.</summary>
    public IReadOnlyDictionary<string, long> Written => _containers.ToDictionary(container => container.Name, container => container.Written);

    private string Containers => Path.Combine(Root, "containers");

    public FakeContainer Add(string name, string image = "registry:5000/team/app:1.2", IReadOnlyDictionary<string, string>? labels = null, int maxFile = 5, bool compress = false)
    {
        var container = new FakeContainer(Containers, name, image, labels, maxFile, compress);
        _containers.Add(container);
        return container;
    }

    public void Dispose()
    {
        foreach (FakeContainer container in _containers)
        {
            container.Dispose();
        }
    }
}
