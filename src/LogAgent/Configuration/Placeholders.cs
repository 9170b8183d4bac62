using System.Text;

namespace LogAgent.Configuration;

/// <summary>
/// Replaces the placeholders of a text:
/// <code>
/// ${NAME}             the environment variable; an error where it is not set
/// ${NAME:-default}    the default where it is not set or empty
/// ${file:/path}       the content of the file, without its last line ending
/// ${credential:NAME}  the file NAME in $CREDENTIALS_DIRECTORY (systemd's LoadCredential)
/// $${                 a literal ${
/// </code>
/// What a placeholder gives is never searched for placeholders again, and never parsed as YAML.
/// </summary>
internal sealed class Placeholders(Func<string, string?> environment)
{
    private const long LargestFile = 1 << 20;

    /// <param name="problem">Called with a sentence for each placeholder that cannot be replaced; nothing takes its place.</param>
    public string Replace(string text, Action<string> problem)
    {
        int next = text.IndexOf("${", StringComparison.Ordinal);
        if (next < 0)
        {
            return text;
        }

        StringBuilder result = new();
        int done = 0;
        while (next >= 0)
        {
            if (next > done && text[next - 1] == '$')
            {
                result.Append(text, done, next - 1 - done).Append("${");
                done = next + 2;
            }
            else
            {
                result.Append(text, done, next - done);
                int close = text.IndexOf('}', next);
                if (close < 0)
                {
                    problem("'${' has no closing '}'. Write $${ for a literal ${.");
                    return result.ToString();
                }

                result.Append(Value(text[(next + 2)..close], problem));
                done = close + 1;
            }

            next = text.IndexOf("${", done, StringComparison.Ordinal);
        }

        return result.Append(text, done, text.Length - done).ToString();
    }

    private string Value(string inside, Action<string> problem)
    {
        if (inside.StartsWith("file:", StringComparison.Ordinal))
        {
            return Content(inside["file:".Length..], problem);
        }

        if (inside.StartsWith("credential:", StringComparison.Ordinal))
        {
            string credential = inside["credential:".Length..];
            string? directory = environment("CREDENTIALS_DIRECTORY");
            if (string.IsNullOrEmpty(directory))
            {
                problem($"${{credential:{credential}}} needs systemd's LoadCredential={credential}:/path in the unit: CREDENTIALS_DIRECTORY is not set. Outside systemd use ${{file:/path}}.");
                return "";
            }

            if (credential.Length == 0 || credential.Contains('/'))
            {
                problem($"'{credential}' is no name of a credential: it must not be empty and must have no '/'.");
                return "";
            }

            return Content(Path.Combine(directory, credential), problem);
        }

        int colon = inside.IndexOf(":-", StringComparison.Ordinal);
        string name = colon < 0 ? inside : inside[..colon];
        if (!IsName(name))
        {
            problem($"${{{name}}} is no placeholder: allowed are ${{NAME}}, ${{NAME:-default}}, ${{file:/path}} and ${{credential:NAME}}. Write $${{ for a literal ${{.");
            return "";
        }

        string? value = environment(name);
        if (colon >= 0)
        {
            return string.IsNullOrEmpty(value) ? inside[(colon + 2)..] : value;
        }

        if (value is null)
        {
            problem($"The environment variable {name} is not set. Set it, or write ${{{name}:-default}}.");
        }

        return value ?? "";
    }

    private static string Content(string path, Action<string> problem)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > LargestFile })
            {
                problem($"{path} is larger than 1 MiB: that is no secret.");
                return "";
            }

            string content = File.ReadAllText(path);
            return content.EndsWith("\r\n", StringComparison.Ordinal) ? content[..^2] : content.EndsWith('\n') ? content[..^1] : content;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            problem($"{(path.Length == 0 ? "${file:} without a path" : path)} cannot be read ({e.Message.TrimEnd('.')}). Check that the file is there and that this user may read it.");
            return "";
        }
    }

    private static bool IsName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => c == '_' || char.IsAsciiLetterOrDigit(c));
}
