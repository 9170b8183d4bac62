namespace LogAgent.Containers;

/// <summary>
/// An image reference as Docker reads it.
/// <code>
/// reference = name [":" tag] ["@" algorithm ":" digest]      name may begin with host ":" port "/"
/// registry:5000/team/app:1.2@sha256:ab..  ->  name registry:5000/team/app, tag 1.2
/// </code>
/// </summary>
/// <param name="Name">Without tag and digest.</param>
/// <param name="Tag">"latest" where the reference has neither tag nor digest; empty for a bare image id.</param>
internal readonly record struct ImageReference(string Name, string Tag)
{
    public static ImageReference Parse(string reference)
    {
        if (IsId(reference))
        {
            return new ImageReference(reference, "");
        }

        int at = reference.IndexOf('@');
        string rest = at < 0 ? reference : reference[..at];

        // A colon before the last slash parts a host from its port, one after it the name from its tag.
        int colon = rest.LastIndexOf(':');
        if (colon > rest.LastIndexOf('/'))
        {
            return new ImageReference(rest[..colon], rest[(colon + 1)..]);
        }

        return new ImageReference(rest, "latest");
    }

    /// <summary>Whether the reference is surely an image id and no name: sha256:... or 64 hexadecimal digits.</summary>
    public static bool IsId(string reference)
    {
        ReadOnlySpan<char> id = reference;
        if (id.StartsWith("sha256:"))
        {
            return true;
        }

        return id.Length == 64 && IsHex(id);
    }

    /// <summary>Whether the reference is the beginning of the image id: a container started as docker run 0123456789ab.</summary>
    public static bool IsShortIdOf(string reference, string imageId)
    {
        const string Algorithm = "sha256:";
        return reference.Length >= 4 && IsHex(reference) && imageId.StartsWith(Algorithm, StringComparison.Ordinal)
            && imageId.AsSpan(Algorithm.Length).StartsWith(reference, StringComparison.Ordinal);
    }

    private static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept("0123456789abcdef");
}
