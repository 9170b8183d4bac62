namespace LogAgent.IntegrationTests.Support;

/// <summary>A small tmpfs over a directory, to be filled to the last byte.</summary>
internal sealed class SmallDisk(string directory, string size = "256k") : IAsyncDisposable
{
    private string Ballast => Path.Combine(directory, "ballast");

    public async Task MountAsync() => await Shell.RunAsync("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", directory);

    public void Fill()
    {
        byte[] block = new byte[4096];
        using var file = new FileStream(Ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
            {
                file.Write(block);
            }
        }
        catch (IOException)
        {
            // It is full.
        }
    }

    public void Free() => File.Delete(Ballast);

    public async ValueTask DisposeAsync() => await Shell.TryAsync("umount", ["-l", directory]);
}
