using System.IO.Enumeration;
using System.Runtime.CompilerServices;
using LogAgent.Configuration;
using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>
/// Which records an output takes: those whose container, image and label each match one of the patterns given for it
/// (none given: any), and whose stream is one of <see cref="Streams"/>. Patterns know * and ?. A label pattern is
/// <c>name</c> or <c>name=value</c>. Immutable; thread-safe.
/// </summary>
internal sealed class OutputSubset(IReadOnlyList<string> containers, IReadOnlyList<string> images, IReadOnlyList<string> labels, StreamSet streams)
{
    private const string LabelPrefix = "container.labels.";

    // A field set lives as long as its target; the answer for it goes with it.
    private readonly ConditionalWeakTable<FieldSet, object> _answers = [];

    public static OutputSubset Everything { get; } = new([], [], [], StreamSet.All);

    public StreamSet Streams => streams;

    /// <summary>From the key <c>only</c> of an output's section.</summary>
    public static OutputSubset From(SubsetOptions options) =>
        new(options.Containers, options.Images, options.Labels, options.Streams.Count == 0 ? StreamSet.All : StreamSet.Of([.. options.Streams]));

    /// <summary>True where records with these fields are taken, as far as their stream is.</summary>
    public bool Takes(FieldSet fields)
    {
        if (containers.Count + images.Count + labels.Count == 0)
        {
            return true;
        }

        if (!_answers.TryGetValue(fields, out object? answer))
        {
            answer = Matches(fields);
            _answers.AddOrUpdate(fields, answer);
        }

        return (bool)answer;
    }

    private static bool Match(string pattern, string? value) =>
        value is not null && FileSystemName.MatchesSimpleExpression(pattern, value, ignoreCase: false);

    private bool Matches(FieldSet fields)
    {
        string? image = fields["container.image.name"];
        string? tagged = image is null ? null : $"{image}:{fields["container.image.tag"] ?? "latest"}";
        return (containers.Count == 0 || containers.Any(pattern => Match(pattern, fields["container.name"])))
            && (images.Count == 0 || images.Any(pattern => Match(pattern, image) || Match(pattern, tagged)))
            && (labels.Count == 0 || labels.Any(pattern => MatchesLabel(pattern, fields)));
    }

    private static bool MatchesLabel(string pattern, FieldSet fields)
    {
        int equals = pattern.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? pattern : pattern[..equals];
        string value = equals < 0 ? "*" : pattern[(equals + 1)..];
        return fields.Values.Any(field => field.Key.StartsWith(LabelPrefix, StringComparison.Ordinal)
            && Match(name, field.Key[LabelPrefix.Length..]) && Match(value, field.Value));
    }
}
