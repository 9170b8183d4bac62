namespace LogAgent.Tests.Packaging;

/// <summary>The checkout that the tests were built from: packaging is tested as it stands there.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    public static string Read(params string[] parts) => File.ReadAllText(PathOf(parts));

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            if (File.Exists(Path.Combine(directory.FullName, "LogAgent.sln")))
                return directory.FullName;
        throw new InvalidOperationException($"no LogAgent.sln above {AppContext.BaseDirectory}");
    }
}
