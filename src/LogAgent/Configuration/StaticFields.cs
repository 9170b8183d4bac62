namespace LogAgent.Configuration;

/// <summary>The names that static fields may have.</summary>
internal static class StaticFields
{
    /// <summary>Null where a static field may have this name, else why not.</summary>
    public static string? ProblemOf(string name)
    {
        string first = name.Split('.')[0];
        if (first is "@timestamp" or "message" or "stream" or "log" or "event" or "time" or "log_path" or "log_offset" or "log_flags" or "sequence")
        {
            return $"'{name}' cannot be a static field: each record says {first} itself";
        }

        if (first is "_id" or "_index" or "_source" or "_type" or "_routing")
        {
            return $"'{name}' cannot be a static field: Elasticsearch keeps {first} for itself";
        }

        if (name is "container.labels" or "container_labels" || name.StartsWith("container.labels.", StringComparison.Ordinal))
        {
            return $"'{name}' cannot be a static field: the labels are the container's own";
        }

        return name.Split('.').Any(part => part.Length == 0) || name.Contains('\0', StringComparison.Ordinal)
            ? $"'{name}' is no name of a field: names are parted by single dots"
            : null;
    }

    /// <summary>Reads a section's static fields; a name that a record says itself is an error.</summary>
    public static IReadOnlyDictionary<string, string> Read(SectionReader section, string key)
    {
        IReadOnlyDictionary<string, string> fields = section.TextMap(key);
        foreach (string name in fields.Keys)
        {
            if (ProblemOf(name) is { } problem)
            {
                section.Error(key, problem + ". Give it another name.");
            }
        }

        return fields;
    }
}
