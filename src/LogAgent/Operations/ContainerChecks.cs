using LogAgent.Configuration;
using LogAgent.Containers;
using LogAgent.Delivery;

namespace LogAgent.Operations;

/// <summary>The checks of what containers are found by: the engine's socket, and its files.</summary>
internal static class ContainerChecks
{
    public static async Task<IReadOnlyList<CheckResult>> RunAsync(DockerOptions options, Func<string, string?> environment, TimeProvider time, CancellationToken cancel)
    {
        if (options.Discovery == Discovery.None)
        {
            return [new CheckResult(true, "containers", "docker.discovery is none: none are looked for")];
        }

        List<CheckResult> results = [];
        string dataRoot = options.DataRoot;
        if (options.Discovery == Discovery.Engine)
        {
            try
            {
                using DockerClient client = new(DockerEndpoint.From(options, environment), time);
                DockerJson.Info info = await client.InfoAsync(cancel).ConfigureAwait(false);
                int containers = (await client.ListAsync(cancel).ConfigureAwait(false)).Length;
                results.Add(new CheckResult(true, "docker", $"{client.Endpoint} answers (API {client.ApiVersion}), {containers} containers"));
                dataRoot = dataRoot.Length > 0 ? dataRoot : info.DockerRootDir ?? "";
            }
            catch (DockerException e)
            {
                results.Add(new CheckResult(false, "docker", e.Message));
            }
        }

        results.Add(DataRoot(options.HostRoot + (dataRoot.Length > 0 ? dataRoot : DockerOptions.DefaultDataRoot)));
        return results;
    }

    private static CheckResult DataRoot(string dataRoot)
    {
        const string What = "docker data root";
        string containers = Path.Combine(dataRoot, "containers");
        try
        {
            int read = 0;
            int all = 0;
            foreach (string log in Directory.EnumerateDirectories(containers).SelectMany(directory => Directory.EnumerateFiles(directory, "*-json.log")))
            {
                all++;
                using FileStream file = File.OpenRead(log);
                read++;
            }

            return new CheckResult(true, What, $"{containers} is readable, {read} of {all} json-file logs could be opened");
        }
        catch (DirectoryNotFoundException)
        {
            return new CheckResult(false, What, $"{containers} is not there. Set docker.data_root to what `docker info` shows as Docker Root Dir; in a container, mount it at the same path, read-only.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new CheckResult(false, What, $"{containers} cannot be read: {e.Message} Run the agent as root, or give it CAP_DAC_READ_SEARCH as the packaged systemd unit does.");
        }
    }
}
