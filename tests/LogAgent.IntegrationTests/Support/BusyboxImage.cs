namespace LogAgent.IntegrationTests.Support;

/// <summary>An image of nothing but the host's static busybox, made without a registry.</summary>
internal static class BusyboxImage
{
    public const string Name = "logagent-test/bb:1";

    /// <param name="docker">Runs the docker command against the engine that is to have the image.</param>
    public static async Task EnsureAsync(Func<string[], Task<ShellResult>> docker)
    {
        if ((await docker(["image", "inspect", Name])).ExitCode == 0)
        {
            return;
        }

        using var folder = new TempFolder();
        const string Build = """
            set -eu
            mkdir -p "$1/bin"
            cp "$(command -v busybox)" "$1/bin/busybox"
            for name in $("$1/bin/busybox" --list); do [ "$name" = busybox ] || ln -sf busybox "$1/bin/$name"; done
            tar -C "$1" -cf "$2" .
            """;
        string archive = folder["image.tar"];
        string root = Path.GetDirectoryName(folder["root/."])!;
        (await Shell.TryAsync("sh", ["-c", Build, "sh", root, archive])).Text("making the image");
        (await docker(["import", "-c", "ENV PATH=/bin", "-c", "CMD [\"/bin/sh\"]", archive, Name])).Text("docker import");
    }
}
