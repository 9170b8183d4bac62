namespace LogAgent.Benchmarks;

/// <summary>Where the built agent is.</summary>
internal static class Repository
{
    public static string Agent
    {
        get
        {
            DirectoryInfo? directory = new(AppContext.BaseDirectory);
            while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "LogAgent.sln")))
            {
                directory = directory.Parent;
            }

            string path = Path.Combine(directory?.FullName ?? "/", "src", "LogAgent", "bin", "Release", "net10.0", "logagent.dll");
            return File.Exists(path) ? path : throw new FileNotFoundException("The agent is not built: dotnet build src/LogAgent -c Release", path);
        }
    }
}
