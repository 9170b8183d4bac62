using LogAgent.Configuration;
using LogAgent.Enrichment;

namespace LogAgent.Containers;

/// <summary>Decides which containers are read.</summary>
internal sealed class ContainerFilter(DockerOptions options, string? ownContainer)
{
    /// <summary>Set to false on a container that is not to be read.</summary>
    public const string EnabledLabel = "logagent.enabled";

    /// <summary>Null where the container is read, else why it is not.</summary>
    public string? ReasonToSkip(ContainerInfo container)
    {
        if (container.Id == ownContainer)
        {
            return "it is the agent's own: its lines would be shipped, logged and shipped again";
        }

        if (container.Labels.TryGetValue(EnabledLabel, out string? enabled) && enabled.Equals("false", StringComparison.OrdinalIgnoreCase))
        {
            return $"its label {EnabledLabel} is false";
        }

        if (!options.Include.IsEmpty && !Matches(options.Include, container))
        {
            return "docker.include does not name it";
        }

        return Matches(options.Exclude, container) ? "docker.exclude names it" : null;
    }

    public static bool Matches(ContainerMatch match, ContainerInfo container)
    {
        if (TextGlob.MatchesAny(match.Names, container.Name))
        {
            return true;
        }

        if (match.Images.Count > 0)
        {
            ImageReference image = ImageReference.Parse(container.Image);
            if (TextGlob.MatchesAny(match.Images, image.Name) || TextGlob.MatchesAny(match.Images, container.Image) || TextGlob.MatchesAny(match.Images, image.Name + ":" + image.Tag))
            {
                return true;
            }
        }

        foreach (string glob in match.Labels)
        {
            foreach ((string name, string value) in container.Labels)
            {
                if (TextGlob.Matches(glob, name) || (glob.Contains('=', StringComparison.Ordinal) && TextGlob.Matches(glob, name + "=" + value)))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
