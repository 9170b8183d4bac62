namespace LogAgent.IntegrationTests.Support;

/// <summary>What a scenario needs of the machine beyond the .NET SDK.</summary>
[Flags]
public enum Needs
{
    Nothing = 0,

    /// <summary>A Docker engine on the local socket, whose files this user may read.</summary>
    Docker = 1,

    /// <summary>Starting a Docker engine of its own.</summary>
    DockerDaemon = 2,

    Elasticsearch = 4,
    Kafka = 8,

    /// <summary>Mounting a small tmpfs.</summary>
    Mount = 16,

    /// <summary>strace, and the right to trace.</summary>
    Trace = 32,

    /// <summary>libfaketime.</summary>
    FakeClock = 64,

    /// <summary>A user namespace, for limits of its own.</summary>
    UserNamespace = 128,

    Logrotate = 256,

    /// <summary>Mounting a directory through FUSE, where inotify sees nothing of what is written behind it.</summary>
    Fuse = 512,

    /// <summary>Taking rights and limits away from the agent: root, and namespaces for users.</summary>
    Root = 1024,
}

/// <summary>Says why a scenario cannot run here; each answer is looked up once.</summary>
internal static class Machine
{
    private static readonly Lazy<string?> Docker = new(FindDocker);
    private static readonly Lazy<string?> DockerDaemon = new(FindDockerDaemon);
    private static readonly Lazy<string?> Mount = new(FindMount);
    private static readonly Lazy<string?> Trace = new(FindTrace);
    private static readonly Lazy<string?> UserNamespace = new(FindUserNamespace);

    /// <summary>LOGAGENT_TEST_FULL=1: the scenarios with their large counts.</summary>
    public static bool Full { get; } = Environment.GetEnvironmentVariable("LOGAGENT_TEST_FULL") == "1";

    /// <summary>The script that starts a real Elasticsearch, or null.</summary>
    public static string? ElasticsearchScript { get; } = Script("LOGAGENT_TEST_ELASTICSEARCH");

    /// <summary>The script that starts a real Kafka, or null.</summary>
    public static string? KafkaScript { get; } = Script("LOGAGENT_TEST_KAFKA");

    /// <summary>Null when everything is there.</summary>
    public static string? WhyNot(Needs needs)
    {
        string?[] reasons =
        [
            needs.HasFlag(Needs.Docker) ? Docker.Value : null,
            needs.HasFlag(Needs.DockerDaemon) ? DockerDaemon.Value : null,
            needs.HasFlag(Needs.Elasticsearch) ? Server(ElasticsearchScript, "Elasticsearch (LOGAGENT_TEST_ELASTICSEARCH)") : null,
            needs.HasFlag(Needs.Kafka) ? Server(KafkaScript, "Kafka (LOGAGENT_TEST_KAFKA)") ?? Command("kcat") : null,
            needs.HasFlag(Needs.Mount) ? Mount.Value : null,
            needs.HasFlag(Needs.Trace) ? Trace.Value : null,
            needs.HasFlag(Needs.FakeClock) && FakeClock.Library is null ? "faketime is not installed" : null,
            needs.HasFlag(Needs.UserNamespace) ? UserNamespace.Value : null,
            needs.HasFlag(Needs.Logrotate) ? Command("logrotate") : null,
            needs.HasFlag(Needs.Fuse) ? Command("bindfs") ?? (File.Exists("/dev/fuse") ? null : "there is no /dev/fuse") : null,
            needs.HasFlag(Needs.Root) && !Environment.IsPrivilegedProcess ? "only root can take rights away from the agent" : null,
        ];
        return reasons.FirstOrDefault(reason => reason is not null);
    }

    private static string? Script(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } path && File.Exists(path) ? path : null;

    private static string? Server(string? script, string name) =>
        script is null ? $"no script that starts a real {name}" : Environment.GetEnvironmentVariable("JAVA_HOME") is { Length: > 0 } ? null : Command("java");

    private static string? Command(string name) => OnPath(name) ? null : $"{name} is not installed";

    private static bool OnPath(string name) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':').Any(directory => File.Exists(Path.Combine(directory, name)));

    private static string? FindDocker()
    {
        if (Environment.GetEnvironmentVariable("LOGAGENT_TEST_NO_DOCKER") is { Length: > 0 } reason)
        {
            return reason;
        }

        if (Command("docker") is { } noClient)
        {
            return noClient;
        }

        if (Command("busybox") is { } noBusybox)
        {
            return noBusybox;
        }

        ShellResult info = Shell.TryAsync("docker", ["info", "--format", "{{.DockerRootDir}}"]).GetAwaiter().GetResult();
        string root = info.Output.Trim();
        if (info.ExitCode != 0 || root.Length == 0)
        {
            return "no Docker engine answers on the local socket";
        }

        try
        {
            Directory.GetDirectories(Path.Combine(root, "containers"));
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return $"the files of the Docker engine under {root} cannot be read by this user";
        }
    }

    private static string? FindDockerDaemon()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return "only root can start a Docker engine";
        }

        if ((Command("dockerd") ?? Command("docker") ?? Command("busybox") ?? Command("unshare")) is { } missing)
        {
            return missing;
        }

        return Shell.TryAsync("unshare", ["--net", "true"]).GetAwaiter().GetResult().ExitCode == 0 ? null : "a network namespace cannot be made here";
    }

    private static string? FindMount()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return "only root can mount a small file system";
        }

        using var folder = new TempFolder();
        ShellResult mount = Shell.TryAsync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder.Path]).GetAwaiter().GetResult();
        if (mount.ExitCode != 0)
        {
            return $"a tmpfs cannot be mounted here: {mount.Error.Trim()}";
        }

        Shell.TryAsync("umount", [folder.Path]).GetAwaiter().GetResult();
        return null;
    }

    private static string? FindTrace()
    {
        if (Command("strace") is { } missing)
        {
            return missing;
        }

        // true ends as it maps its library; where tracing is forbidden, strace ends with an error of its own.
        ShellResult killed = Shell.TryAsync("strace", ["-D", "-f", "-qq", "-o", "/dev/null", "-e", "inject=openat:signal=KILL:when=1", "true"]).GetAwaiter().GetResult();
        return killed.ExitCode == 128 + (int)Signal.Kill ? null : $"processes cannot be traced here: {killed.Error.Trim()}";
    }

    private static string? FindUserNamespace()
    {
        if (Command("unshare") is { } missing)
        {
            return missing;
        }

        ShellResult limit = Shell.TryAsync("unshare", ["--user", "--map-root-user", "test", "-w", "/proc/sys/user/max_inotify_watches"]).GetAwaiter().GetResult();
        return limit.ExitCode == 0 ? null : $"a user namespace with limits of its own cannot be made here: {limit.Error.Trim()}";
    }
}
