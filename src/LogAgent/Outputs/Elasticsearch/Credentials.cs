using System.Net.Http.Headers;
using System.Text;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>What the agent shows to the server. No member of it, and not its ToString, is fit for a log line except <see cref="Key"/>.</summary>
internal sealed class Credentials
{
    private Credentials(string key, AuthenticationHeaderValue header)
    {
        Key = key;
        Header = header;
    }

    /// <summary>Where it comes from in the configuration: api_key, username and password, bearer.</summary>
    public string Key { get; }

    public AuthenticationHeaderValue Header { get; }

    /// <param name="key">As the server encoded it, or as id:key.</param>
    public static Credentials ApiKey(string key) =>
        new("api_key", new("ApiKey", key.Contains(':', StringComparison.Ordinal) ? Base64(key) : key));

    public static Credentials Basic(string username, string password) =>
        new("username and password", new("Basic", Base64($"{username}:{password}")));

    public static Credentials Bearer(string token) => new("bearer", new("Bearer", token));

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
