namespace LogAgent.Outputs.Elasticsearch;

/// <summary>One configured host. Its state belongs to the <see cref="NodePool"/>.</summary>
/// <param name="address">Where it is, for requests and for sentences; it carries no credentials.</param>
internal sealed class Node(Uri address)
{
    /// <summary>The address without a final slash: a path that begins with one is appended.</summary>
    public string Address { get; } = address.AbsoluteUri.TrimEnd('/');

    /// <summary>Failures in a row; 0 = it is live.</summary>
    public int Failures { get; set; }

    /// <summary>Timestamp of the TimeProvider from which on it is tried again.</summary>
    public long TryAgainAt { get; set; }

    /// <summary>The last body was cut off while it was being sent: the next one waits for the server's word (100 Continue) first, so that a refusal (413) can be read.</summary>
    public bool AskFirst { get; set; }

    public override string ToString() => Address;
}
