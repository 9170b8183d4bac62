namespace LogAgent.Configuration;

/// <summary>
/// Values that do not stand in the file, laid over it before it is read, so that they are checked like those of the file:
/// <code>
/// LOGAGENT_CLUSTER, _HOST, _SCHEMA, _DRAIN, _STATE_DIRECTORY, _METRICS_LISTEN, _LOG_LEVEL, _LOG_FORMAT, _LIMITS_MEMORY    win over the file
/// CLUSTER_ID -> cluster, STATE_DIRECTORY -> state.directory (systemd's StateDirectory)                                   where the file has none, or an empty one
/// CLUSTER_ID_FILE                                                                                                      CLUSTER_ID from a mounted file
/// LOGAGENT_OUTPUT_TYPE=elasticsearch, LOGAGENT_OUTPUT_HOSTS=..., LOGAGENT_OUTPUT_TLS__CA_FILE -> tls.ca_file             the one output
/// </code>
/// Without any output, there is one to the console. Placeholders in the variables' values are replaced.
/// </summary>
/// <param name="environment">All environment variables.</param>
/// <param name="consoleFormat">Format of the console output from the command line; null leaves it.</param>
internal sealed class ConfigurationOverlay(IReadOnlyDictionary<string, string> environment, string? consoleFormat = null)
{
    private const string OutputPrefix = "LOGAGENT_OUTPUT_";

    private static readonly (string Variable, string Key, bool Wins)[] Variables =
    [
        ("LOGAGENT_CLUSTER", "cluster", true),
        ("CLUSTER_ID", "cluster", false),
        ("LOGAGENT_HOST", "host", true),
        ("LOGAGENT_SCHEMA", "schema", true),
        ("LOGAGENT_DRAIN", "drain", true),
        ("LOGAGENT_STATE_DIRECTORY", "state.directory", true),
        ("STATE_DIRECTORY", "state.directory", false),
        ("LOGAGENT_LIMITS_MEMORY", "limits.memory", true),
        ("LOGAGENT_METRICS_LISTEN", "metrics.listen", true),
        ("LOGAGENT_LOG_LEVEL", "log.level", true),
        ("LOGAGENT_LOG_FORMAT", "log.format", true),
    ];

    public ConfigNode Apply(ConfigNode root, Placeholders placeholders, Action<ConfigurationError> error)
    {
        foreach ((string variable, string key, bool wins) in Variables)
        {
            if (ValueOf(variable) is { } value)
            {
                // systemd gives a list with colons where the unit names several directories; ours is the first.
                value = variable == "STATE_DIRECTORY" ? value.Split(':')[0] : value;
                root = With(root, key.Split('.'), Value(variable, key, value, placeholders, error), wins);
            }
        }

        return WithConsoleFormat(WithOutputs(root, placeholders, error), error);
    }

    private string? ValueOf(string variable) =>
        environment.GetValueOrDefault(variable)
        ?? (variable == "CLUSTER_ID" && environment.GetValueOrDefault("CLUSTER_ID_FILE") is { Length: > 0 } path ? $"${{file:{path}}}" : null);

    private ConfigNode WithOutputs(ConfigNode root, Placeholders placeholders, Action<ConfigurationError> error)
    {
        ConfigNode output = new() { Kind = ConfigNodeKind.Map, Origin = OutputPrefix + "TYPE" };
        bool any = false;
        foreach ((string variable, string value) in environment.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (variable.StartsWith(OutputPrefix, StringComparison.Ordinal) && variable.Length > OutputPrefix.Length)
            {
                string[] keys = variable[OutputPrefix.Length..].ToLowerInvariant().Split("__");
                output = With(output, keys, Value(variable, "outputs[0]." + string.Join('.', keys), value, placeholders, error), true);
                any = true;
            }
        }

        if (root.Find("outputs") is { } outputs)
        {
            if (any)
            {
                error(new ConfigurationError(OutputPrefix + "*", 0, "outputs", $"There are outputs in the file (line {outputs.Line}) and one in the environment. Keep one of both."));
            }

            return root;
        }

        ConfigNode console = With(new ConfigNode { Kind = ConfigNodeKind.Map, Origin = "default" }, ["type"], Plain("default", "console"), true);
        return With(root, ["outputs"], new ConfigNode { Kind = ConfigNodeKind.List, Origin = "default", Items = [any ? output : console] }, true);
    }

    private ConfigNode WithConsoleFormat(ConfigNode root, Action<ConfigurationError> error)
    {
        if (consoleFormat is null || root.Find("outputs") is not { Kind: ConfigNodeKind.List } outputs)
        {
            return root;
        }

        if (!outputs.Items.Any(IsConsole))
        {
            error(new ConfigurationError("--format", 0, "outputs", "The option sets the format of the console output, and no console output is configured. Leave the option out."));
            return root;
        }

        ConfigNode changed = new()
        {
            Kind = ConfigNodeKind.List,
            Line = outputs.Line,
            Origin = outputs.Origin,
            Items = [.. outputs.Items.Select(item => IsConsole(item) ? With(item, ["format"], Plain("--format", consoleFormat), true) : item)],
        };
        return With(root, ["outputs"], changed, true);
    }

    private static bool IsConsole(ConfigNode output) => output.Kind == ConfigNodeKind.Map && output.Find("type")?.Text == "console";

    private static ConfigNode Value(string variable, string key, string value, Placeholders placeholders, Action<ConfigurationError> error)
    {
        string text = placeholders.Replace(value, problem => error(new ConfigurationError(variable, 0, key, problem)));
        return text.Length == 0 && !key.EndsWith("listen", StringComparison.Ordinal)
            ? new ConfigNode { Kind = ConfigNodeKind.Null, Origin = variable }
            : new ConfigNode { Kind = ConfigNodeKind.Text, Origin = variable, Text = text, Shown = value };
    }

    private static ConfigNode Plain(string origin, string text) => new() { Kind = ConfigNodeKind.Text, Origin = origin, Text = text, Shown = text };

    /// <summary>A copy with the value at the path of keys; sections on the way are made where they are absent.</summary>
    private static ConfigNode With(ConfigNode node, ReadOnlySpan<string> keys, ConfigNode value, bool wins)
    {
        if (node.Kind != ConfigNodeKind.Map)
        {
            return node;
        }

        string key = keys[0];
        ConfigNode? present = node.Find(key);
        ConfigNode member = keys.Length > 1
            ? With(present ?? new ConfigNode { Kind = ConfigNodeKind.Map, Origin = value.Origin }, keys[1..], value, wins)
            : wins || present is null or { Kind: ConfigNodeKind.Text, Text.Length: 0 } ? value : present;
        int at = node.Members.TakeWhile(known => known.Key != key).Count();
        List<ConfigMember> members = [.. node.Members];
        if (at < members.Count)
        {
            members[at] = members[at] with { Value = member };
        }
        else
        {
            members.Add(new ConfigMember(key, 0, member));
        }

        return new ConfigNode { Kind = ConfigNodeKind.Map, Line = node.Line, Origin = node.Origin, Members = members };
    }
}
