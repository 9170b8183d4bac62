using System.Text;
using System.Text.Json;
using Serilog.Events;
using Serilog.Formatting;

namespace LogAgent.Operations;

/// <summary>
/// The agent's own log lines as JSON, one object a line, with the names of the Elastic Common Schema:
/// <code>
/// {"@timestamp":"...","log.level":"warning","message":"...","log.logger":"...","error.type":"...","error.message":"...","error.stack_trace":"...","labels":{"output":"es"}}
/// </code>
/// </summary>
internal sealed class JsonLogFormat : ITextFormatter
{
    public void Format(LogEvent logEvent, TextWriter output)
    {
        using MemoryStream line = new();
        using (Utf8JsonWriter json = new(line))
        {
            json.WriteStartObject();
            json.WriteString("@timestamp", logEvent.Timestamp.UtcDateTime);
            json.WriteString("log.level", logEvent.Level.ToString().ToLowerInvariant());
            json.WriteString("message", logEvent.RenderMessage());
            if (logEvent.Properties.TryGetValue("SourceContext", out LogEventPropertyValue? source) && source is ScalarValue { Value: string logger })
            {
                json.WriteString("log.logger", logger);
            }

            if (logEvent.Exception is { } exception)
            {
                json.WriteString("error.type", exception.GetType().FullName);
                json.WriteString("error.message", exception.Message);
                json.WriteString("error.stack_trace", exception.ToString());
            }

            WriteLabels(json, logEvent);
            json.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length));
    }

    private static void WriteLabels(Utf8JsonWriter json, LogEvent logEvent)
    {
        bool any = false;
        foreach ((string name, LogEventPropertyValue value) in logEvent.Properties)
        {
            if (name is "SourceContext" or "EventId")
            {
                continue;
            }

            if (!any)
            {
                json.WriteStartObject("labels");
                any = true;
            }

            json.WriteString(JsonNamingPolicy.SnakeCaseLower.ConvertName(name), value is ScalarValue { Value: string text } ? text : value.ToString());
        }

        if (any)
        {
            json.WriteEndObject();
        }
    }
}
