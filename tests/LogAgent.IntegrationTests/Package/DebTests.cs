using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Package;

public sealed class DebTests : Scenario
{
    [PackageFact("dpkg-deb", "lintian")]
    public async Task Lintian_finds_no_error_and_no_warning_in_the_package()
    {
        string package = await Packages.BuildAsync("deb", Folder);

        ShellResult lintian = await Shell.TryAsync("lintian", ["--fail-on", "error,warning", "--tag-display-limit", "0", package], deadline: Packages.Deadline);

        Assert.True(lintian.ExitCode == 0, lintian.Output);
    }

    [PackageFact("dpkg-deb")]
    public async Task The_configuration_is_a_conffile_and_the_maintainer_is_whom_the_environment_names()
    {
        var environment = new Dictionary<string, string> { ["DEBFULLNAME"] = "Ops", ["DEBEMAIL"] = "ops@example.org" };
        ShellResult built = await Shell.TryAsync(
            Packages.Script("deb", "build.sh"),
            ["--framework-dependent", "--published", Path.GetDirectoryName(Repository.Agent)!, "--version", "1.2.3~rc1", "--out", Folder.Path],
            environment,
            Packages.Deadline);
        string package = built.Text("build.sh");

        Assert.EndsWith("/logagent_1.2.3~rc1_" + await Shell.RunAsync("dpkg", "--print-architecture") + ".deb", package, StringComparison.Ordinal);
        Assert.Equal("Ops <ops@example.org>", await Shell.RunAsync("dpkg-deb", "--field", package, "Maintainer"));
        Assert.Equal("/etc/logagent/logagent.yaml", await Shell.RunAsync("dpkg-deb", "--info", package, "conffiles"));
        Assert.Contains("librdkafka1", await Shell.RunAsync("dpkg-deb", "--field", package, "Recommends"), StringComparison.Ordinal);
    }

    /// <summary>
    /// As packaging/deb/try.sh tries it: install, ready, a record delivered, reload, a stopped process and a wedged pipeline found by the
    /// watchdog, stop, upgrade with a changed configuration, remove, purge.
    /// </summary>
    [SystemdFact]
    public async Task On_a_real_systemd_the_package_is_installed_runs_is_watched_upgraded_and_purged() =>
        await TryAsync(await Packages.BuildAsync("deb", Folder), "--dotnet", Packages.DotNet);

    [SystemdFact(Shipped = true)]
    public async Task On_a_real_systemd_so_is_the_self_contained_package()
    {
        string package = await Packages.BuildShippedAsync("deb", Folder);

        ShellResult lintian = await Shell.TryAsync("lintian", ["--fail-on", "error,warning", "--tag-display-limit", "0", package], deadline: Packages.Deadline);
        Assert.True(lintian.ExitCode == 0, lintian.Output);
        await TryAsync(package);
    }

    private static async Task TryAsync(string package, params string[] options)
    {
        string root = Environment.GetEnvironmentVariable("LOGAGENT_TEST_ROOT")!;
        ShellResult tried = await Shell.TryAsync(Packages.Script("deb", "try.sh"), [package, "--root", root, .. options], deadline: Packages.Deadline);
        Assert.True(tried.ExitCode == 0, tried.Output + tried.Error);
        Assert.Contains("the agent with the wedged pipeline is killed by the watchdog", tried.Output, StringComparison.Ordinal);
    }
}
