using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Package;

/// <summary>
/// The Debian package on a real systemd, as packaging/deb/try.sh tries it: install, ready, a record delivered, reload, a wedged process found
/// by the watchdog, stop, upgrade, remove, purge. It publishes, debootstraps and boots: minutes, root and a Debian mirror.
/// LOGAGENT_TEST_PUBLISHED names a directory with a published agent, LOGAGENT_TEST_ROOT one to keep the debootstrapped Debian in.
/// </summary>
public sealed class PackageTests : Scenario
{
    [PackageFact]
    public async Task The_package_is_installed_runs_is_upgraded_and_purged()
    {
        string[] published = Environment.GetEnvironmentVariable("LOGAGENT_TEST_PUBLISHED") is { Length: > 0 } directory ? ["--published", directory] : [];
        string[] root = Environment.GetEnvironmentVariable("LOGAGENT_TEST_ROOT") is { Length: > 0 } kept ? [kept] : [];
        TimeSpan deadline = TimeSpan.FromMinutes(12);
        string package = (await Shell.TryAsync(Script("build.sh"), ["--out", Folder.Path, .. published], deadline: deadline)).Text("build.sh");

        ShellResult lintian = await Shell.TryAsync("lintian", ["--fail-on", "error", package], deadline: deadline);
        Assert.True(lintian.ExitCode == 0, lintian.Output);

        ShellResult tried = await Shell.TryAsync(Script("try.sh"), [package, .. root], deadline: deadline);
        Assert.True(tried.ExitCode == 0, tried.Output + tried.Error);
    }

    private static string Script(string name) => Path.Combine(Repository.Root, "packaging", "deb", name);
}
