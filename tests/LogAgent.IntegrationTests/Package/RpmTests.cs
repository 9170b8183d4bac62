using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Package;

/// <summary>The rpm: the same tree as the Debian package, and what its scriptlets call in the life of an installation.</summary>
public sealed class RpmTests : Scenario
{
    [PackageFact("rpmbuild", "rpm", "dpkg-deb")]
    public async Task It_installs_the_files_of_the_Debian_package()
    {
        string[] deb = Lines(await Shell.RunAsync("sh", "-c", $"dpkg-deb --fsys-tarfile '{await Packages.BuildAsync("deb", Folder)}' | tar -t"));
        string[] rpm = Lines(await Shell.RunAsync("rpm", "-qpl", await Packages.BuildAsync("rpm", Folder)));

        string[] expected = [.. deb.Select(path => path[1..]).Where(path => path.Length > 0 && !path.EndsWith('/') && !OnlyDebian(path)).Select(Unit).Order(StringComparer.Ordinal)];
        Assert.True(expected.Length > 20);
        Assert.Equal(expected, rpm.Where(path => !IsDirectory(path, expected)).Order(StringComparer.Ordinal));
    }

    [PackageFact("rpmbuild", "rpm", "busybox", AsRoot = true)]
    public async Task It_is_installed_upgraded_and_removed_and_the_administrators_configuration_stays()
    {
        string root = await MakeRootAsync(await Shell.RunAsync("sh", "-c", "command -v busybox"));
        string first = await Packages.BuildAsync("rpm", Folder, "--version", "1.0");
        string next = await Packages.BuildAsync("rpm", Folder, "--version", "1.1");

        Assert.Equal(
            ["groupadd --system logagent", "useradd --system --gid logagent --home-dir /var/lib/logagent --no-create-home --shell /sbin/nologin --comment LogAgent logagent",
                "systemctl daemon-reload", "systemctl preset logagent.service", "systemctl is-enabled --quiet logagent.service", "systemctl start --no-block logagent.service"],
            await CallsAsync(root, "-i", first));
        string configuration = Path.Combine(root, "etc/logagent/logagent.yaml");
        Assert.Equal("640 0:998", await Shell.RunAsync("stat", "-c", "%a %u:%g", configuration));
        ShellResult version = await Shell.TryAsync(Path.Combine(root, "usr/bin/logagent"), ["version"], new Dictionary<string, string> { ["DOTNET_ROOT"] = Packages.DotNet });
        Assert.StartsWith("logagent ", version.Text("logagent version"), StringComparison.Ordinal);

        await File.AppendAllTextAsync(configuration, "# mine\n");
        Assert.Equal(["systemctl daemon-reload", "systemctl daemon-reload", "systemctl try-restart logagent.service"], await CallsAsync(root, "-U", next));
        Assert.EndsWith("# mine\n", await File.ReadAllTextAsync(configuration), StringComparison.Ordinal);

        Assert.Equal(["systemctl disable --now --quiet logagent.service", "systemctl daemon-reload"], await CallsAsync(root, "-e", "logagent"));
        Assert.EndsWith("# mine\n", await File.ReadAllTextAsync(configuration + ".rpmsave"), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(root, "usr/bin/logagent")));
    }

    /// <summary>A root with a shell, and in the place of what scriptlets call, scripts that write it down.</summary>
    private async Task<string> MakeRootAsync(string busybox)
    {
        string root = Path.Combine(Folder.Path, "root");
        foreach (string folder in (string[])["bin", "usr/bin", "usr/sbin", "etc", "run/systemd/system", "var/lib/rpm", "dev"])
            Directory.CreateDirectory(Path.Combine(root, folder));
        File.Copy(busybox, Path.Combine(root, "bin/busybox"));
        foreach (string name in (string[])["sh", "grep"])
            File.CreateSymbolicLink(Path.Combine(root, "bin", name), "busybox");
        File.WriteAllText(Path.Combine(root, "etc/passwd"), "root:x:0:0::/:/bin/sh\n");
        File.WriteAllText(Path.Combine(root, "etc/group"), "root:x:0:\n");
        Write("usr/bin/getent", "/bin/grep \"^$2:\" \"/etc/$1\"");
        Write("usr/sbin/groupadd", "echo groupadd \"$@\" >>/calls; echo logagent:x:998: >>/etc/group");
        Write("usr/sbin/useradd", "echo useradd \"$@\" >>/calls; echo logagent:x:998:998::/:/bin/false >>/etc/passwd");
        Write("usr/bin/systemctl", "echo systemctl \"$@\" >>/calls");
        await Shell.RunAsync("chmod", "-R", "0755", root);
        return root;

        void Write(string path, string script) => File.WriteAllText(Path.Combine(root, path), "#!/bin/sh\n" + script + "\n");
    }

    private static async Task<string[]> CallsAsync(string root, string action, string package)
    {
        string calls = Path.Combine(root, "calls");
        File.Delete(calls);
        (await Shell.TryAsync("rpm", ["--root", root, "--nodeps", action, package])).Text("rpm " + action);
        return await File.ReadAllLinesAsync(calls);
    }

    private static bool OnlyDebian(string path) => path.EndsWith("/changelog.gz", StringComparison.Ordinal) || path.Contains("/lintian/", StringComparison.Ordinal);

    private static string Unit(string path) => path.StartsWith("/lib/", StringComparison.Ordinal) ? "/usr" + path : path;

    private static bool IsDirectory(string path, string[] files) => files.Any(file => file.StartsWith(path + "/", StringComparison.Ordinal));

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
