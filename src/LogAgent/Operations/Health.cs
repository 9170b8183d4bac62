namespace LogAgent.Operations;

/// <summary>An answer of /healthz or /readyz.</summary>
/// <param name="Text">A sentence for a person: what is well, or what is wrong and what to do.</param>
internal readonly record struct Health(bool Ok, string Text)
{
    public HttpAnswer Answer() => HttpAnswer.Text(Ok ? 200 : 503, Text + "\n");
}
