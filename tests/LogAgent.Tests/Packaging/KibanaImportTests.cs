using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LogAgent.Tests.Packaging;

/// <summary>The import script against a server that answers as Kibana's import API is documented to.</summary>
public sealed class KibanaImportTests : IAsyncLifetime
{
    private readonly WebApplication _kibana;
    private readonly List<(string Path, string Authorization, string Xsrf, string Body)> _requests = [];
    private int _status = 200;
    private string _answer = """{"successCount":10,"success":true,"successResults":[]}""";

    public KibanaImportTests()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        _kibana = builder.Build();
        _kibana.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            _requests.Add((
                context.Request.Path + context.Request.QueryString.ToString(),
                context.Request.Headers.Authorization.ToString(),
                context.Request.Headers["kbn-xsrf"].ToString(),
                await reader.ReadToEndAsync()));
            context.Response.StatusCode = _status;
            await context.Response.WriteAsync(_answer);
        });
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _kibana.DisposeAsync();

    [ToolFact("curl")]
    public async Task All_objects_are_posted_as_a_form_with_the_header_that_Kibana_asks_for()
    {
        (int exitCode, string output) = await ImportAsync();

        Assert.True(exitCode == 0, output);
        var request = Assert.Single(_requests);
        Assert.Equal("/api/saved_objects/_import?overwrite=true", request.Path);
        Assert.NotEmpty(request.Xsrf);
        Assert.Contains("name=\"file\"", request.Body, StringComparison.Ordinal);
        Assert.Contains("filename=\"logagent.ndjson\"", request.Body, StringComparison.Ordinal);
        Assert.Contains(Repository.Read("packaging", "kibana", "logagent.ndjson"), request.Body, StringComparison.Ordinal);
    }

    [ToolFact("curl")]
    public async Task A_space_and_an_API_key_are_taken_from_the_environment()
    {
        await ImportAsync(("KIBANA_SPACE", "ops"), ("KIBANA_API_KEY", "c2VjcmV0"));

        var request = Assert.Single(_requests);
        Assert.Equal("/s/ops/api/saved_objects/_import?overwrite=true", request.Path);
        Assert.Equal("ApiKey c2VjcmV0", request.Authorization);
    }

    [ToolFact("curl")]
    public async Task A_password_with_quotes_and_backslashes_arrives_as_it_is()
    {
        await ImportAsync(("KIBANA_USER", "elastic"), ("KIBANA_PASSWORD", "a\"b\\c d"));

        string expected = Convert.ToBase64String("elastic:a\"b\\c d"u8);
        Assert.Equal("Basic " + expected, Assert.Single(_requests).Authorization);
    }

    [ToolFact("curl")]
    public async Task An_answer_of_200_without_success_is_a_failure_and_shown()
    {
        _answer = """{"successCount":9,"success":false,"errors":[{"id":"logagent-overview","error":{"type":"missing_references"}}]}""";

        (int exitCode, string output) = await ImportAsync();

        Assert.Equal(1, exitCode);
        Assert.Contains("missing_references", output, StringComparison.Ordinal);
    }

    [ToolFact("curl")]
    public async Task Refused_credentials_are_named_as_such()
    {
        _status = 401;

        (int exitCode, string output) = await ImportAsync();

        Assert.Equal(1, exitCode);
        Assert.Contains("KIBANA_API_KEY", output, StringComparison.Ordinal);
    }

    private async Task<(int ExitCode, string Output)> ImportAsync(params (string Name, string Value)[] environment)
    {
        await _kibana.StartAsync();
        var variables = environment.ToDictionary(pair => pair.Name, pair => pair.Value);
        variables["KIBANA_URL"] = _kibana.Urls.Single();
        return await Tool.RunAsync("/bin/sh", [Repository.PathOf("packaging", "kibana", "import.sh")], variables);
    }
}
