namespace LogAgent.IntegrationTests.Support;

/// <summary>A directory of one test, removed with all that is in it.</summary>
internal sealed class TempFolder : IDisposable
{
    public TempFolder()
    {
        string parent = Environment.GetEnvironmentVariable("LOGAGENT_TEST_RUN") is { Length: > 0 } run && Directory.Exists(run) ? run : System.IO.Path.GetTempPath();
        Path = Directory.CreateDirectory(System.IO.Path.Combine(parent, "logagent-it-" + Guid.NewGuid().ToString("N")[..12])).FullName;
    }

    public string Path { get; }

    /// <summary>A path in it; the directories on the way are made.</summary>
    public string this[string relative]
    {
        get
        {
            string path = System.IO.Path.Combine(Path, relative);
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            return path;
        }
    }

    public void Dispose()
    {
        for (int attempt = 0; attempt < 5 && Directory.Exists(Path); attempt++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
            }
            catch (IOException)
            {
                // A server that is just ending still writes into it.
            }
            catch (UnauthorizedAccessException)
            {
            }
        }
    }
}
