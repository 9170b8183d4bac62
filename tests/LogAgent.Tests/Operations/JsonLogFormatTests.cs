using System.Text.Json;
using LogAgent.Operations;
using Serilog.Events;
using Serilog.Parsing;

namespace LogAgent.Tests.Operations;

public class JsonLogFormatTests
{
    [Fact]
    public void A_log_line_is_one_json_object_with_ecs_names()
    {
        LogEvent line = new(
            new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero),
            LogEventLevel.Warning,
            new InvalidOperationException("broken\nbadly"),
            new MessageTemplateParser().Parse("Output {OutputName} is down."),
            [new("OutputName", new ScalarValue("es")), new("SourceContext", new ScalarValue("LogAgent.Delivery"))]);
        StringWriter output = new();
        new JsonLogFormat().Format(line, output);
        Assert.Single(output.ToString().TrimEnd().Split('\n'));
        JsonElement json = JsonDocument.Parse(output.ToString()).RootElement;
        Assert.Equal("2026-11-21T12:00:00Z", json.GetProperty("@timestamp").GetString());
        Assert.Equal("warning", json.GetProperty("log.level").GetString());
        Assert.Equal("LogAgent.Delivery", json.GetProperty("log.logger").GetString());
        Assert.Equal("broken\nbadly", json.GetProperty("error.message").GetString());
        Assert.Equal("es", json.GetProperty("labels").GetProperty("output_name").GetString());
    }
}
