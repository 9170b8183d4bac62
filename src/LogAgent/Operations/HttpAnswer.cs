namespace LogAgent.Operations;

/// <summary>What a page answers.</summary>
internal readonly record struct HttpAnswer(int Status, string ContentType, string Body)
{
    public static HttpAnswer Text(int status, string body) => new(status, "text/plain; charset=utf-8", body);
}
