using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace LogAgent.Configuration;

/// <summary>
/// Reads a YAML document into nodes with line numbers. It works on the parser's events and not on a ready-made model, so that
/// a key that occurs twice is one more error in the list and not the end of reading.
/// </summary>
internal sealed class YamlTree(string source, Placeholders placeholders, List<ConfigurationError> errors)
{
    private const int DeepestNesting = 64;

    private readonly Dictionary<AnchorName, ConfigNode> _anchors = [];
    private int _lastLine = 1;

    /// <summary>The root mapping; null where the text is no YAML, which is then the last error.</summary>
    public ConfigNode? Read(TextReader text)
    {
        try
        {
            Parser parser = new(text);
            parser.Consume<StreamStart>();
            ConfigNode root = new() { Kind = ConfigNodeKind.Map };
            if (parser.TryConsume<DocumentStart>(out _))
            {
                ConfigNode first = Node(parser, "", 0);
                parser.Consume<DocumentEnd>();
                if (first.Kind == ConfigNodeKind.Map)
                {
                    root = first;
                }
                else if (first.Kind != ConfigNodeKind.Null)
                {
                    Error(first.Line, "", $"The file must hold key: value lines, but is {first.KindName}.");
                }
            }

            if (parser.TryConsume<DocumentStart>(out var second))
            {
                Error((int)second.Start.Line, "", "A second YAML document begins here ('---'); only one is allowed.");
            }

            return root;
        }
        catch (YamlException e)
        {
            Error((int)e.Start.Line, "", $"This is not valid YAML (column {e.Start.Column}): {Sentence(e)} Look at the indentation, at quotes and brackets that are not closed, and at tabs.");
            return null;
        }
        catch (InvalidOperationException)
        {
            // The scanner throws this instead of a YamlException at some broken texts, a list without its ']' for one.
            Error(_lastLine, "", "This is not valid YAML: a '[', '{' or quote that is opened near this line is not closed.");
            return null;
        }
    }

    private ConfigNode Node(Parser parser, string path, int depth)
    {
        if (depth > DeepestNesting)
        {
            throw new YamlException(parser.Current!.Start, parser.Current.End, $"The nesting is deeper than {DeepestNesting} levels");
        }

        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            return _anchors.TryGetValue(alias.Value, out ConfigNode? known)
                ? known
                : throw new YamlException(alias.Start, alias.End, $"The alias *{alias.Value} has no anchor before it");
        }

        NodeEvent start = parser.Require<NodeEvent>();
        _lastLine = (int)start.Start.Line;
        ConfigNode node = start switch
        {
            MappingStart => Map(parser, path, depth),
            SequenceStart => List(parser, path, depth),
            _ => Scalar(parser.Consume<Scalar>(), path),
        };
        if (!start.Anchor.IsEmpty)
        {
            _anchors[start.Anchor] = node;
        }

        return node;
    }

    private ConfigNode Map(Parser parser, string path, int depth)
    {
        int line = (int)parser.Consume<MappingStart>().Start.Line;
        List<ConfigMember> members = [];
        Dictionary<string, int> lines = new(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var key))
            {
                throw new YamlException(parser.Current!.Start, parser.Current.End, "A key must be a plain word");
            }

            string member = path.Length > 0 ? $"{path}.{key.Value}" : key.Value;
            ConfigNode value = Node(parser, member, depth + 1);
            if (lines.TryAdd(key.Value, (int)key.Start.Line))
            {
                members.Add(new ConfigMember(key.Value, (int)key.Start.Line, value));
            }
            else
            {
                Error((int)key.Start.Line, member, $"The key stands here a second time; the first is in line {lines[key.Value]}. Keep one of them.");
            }
        }

        return new ConfigNode { Kind = ConfigNodeKind.Map, Line = line, Members = members };
    }

    private ConfigNode List(Parser parser, string path, int depth)
    {
        int line = (int)parser.Consume<SequenceStart>().Start.Line;
        List<ConfigNode> items = [];
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(Node(parser, $"{path}[{items.Count}]", depth + 1));
        }

        return new ConfigNode { Kind = ConfigNodeKind.List, Line = line, Items = items };
    }

    private ConfigNode Scalar(Scalar scalar, string path)
    {
        int line = (int)scalar.Start.Line;
        string text = placeholders.Replace(scalar.Value, problem => Error(line, path, problem));
        bool plain = scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty;
        return plain && (text is "" or "~" or "null" or "Null" or "NULL")
            ? new ConfigNode { Kind = ConfigNodeKind.Null, Line = line }
            : new ConfigNode { Kind = ConfigNodeKind.Text, Line = line, Text = text, Shown = scalar.Value };
    }

    private void Error(int line, string key, string problem) => errors.Add(new ConfigurationError(source, line, key, problem));

    private static string Sentence(YamlException e)
    {
        string text = (e.InnerException ?? e).Message;
        int end = text.LastIndexOf("): ", StringComparison.Ordinal);
        text = (end >= 0 ? text[(end + 3)..] : text).TrimEnd('.');
        return text + ".";
    }
}
