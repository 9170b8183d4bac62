using System.Collections.Frozen;

namespace LogAgent.Tailing;

/// <summary>
/// The fields that every record of a target shares: immutable, encoded once, shared by all of the target's batches.
/// </summary>
public sealed class FieldSet
{
    private readonly FrozenDictionary<string, string> _values;
    private readonly byte[] _json;

    /// <param name="values">Value by canonical ECS name (host.name, container.image.tag, log.file.path, container.labels.x ...), whatever the schema.</param>
    /// <param name="json">
    /// Members of a JSON object in the configured schema, UTF-8, without the braces and without a leading or final comma; may be empty.
    /// It holds no log and no event member: those carry parts of each record and are written by the encoder.
    /// </param>
    public FieldSet(IEnumerable<KeyValuePair<string, string>> values, byte[] json)
    {
        _values = values.ToFrozenDictionary(StringComparer.Ordinal);
        _json = json;
    }

    public static FieldSet Empty { get; } = new([], []);

    /// <summary>The members as described at the constructor.</summary>
    public ReadOnlySpan<byte> Json => _json;

    /// <summary>The value of a field by its canonical ECS name, or null.</summary>
    public string? this[string name] => _values.GetValueOrDefault(name);

    public IReadOnlyDictionary<string, string> Values => _values;
}
