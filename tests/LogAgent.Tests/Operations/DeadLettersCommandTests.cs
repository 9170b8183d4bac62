using LogAgent.Configuration;
using LogAgent.Delivery;
using LogAgent.Operations;
using LogAgent.Outputs;
using LogAgent.Tailing;
using LogAgent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Operations;

public class DeadLettersCommandTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("logagent-").FullName;
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private readonly Dictionary<string, string> _environment;

    public DeadLettersCommandTests() => _environment = new()
    {
        ["LOGAGENT_STATE_DIRECTORY"] = _directory,
        ["LOGAGENT_OUTPUT_TYPE"] = "file",
        ["LOGAGENT_OUTPUT_NAME"] = "archive",
        ["LOGAGENT_OUTPUT_PATH"] = Path.Combine(_directory, "records.ndjson"),
    };

    public void Dispose() => Directory.Delete(_directory, true);

    [Fact]
    public async Task They_are_listed_by_output_and_reason()
    {
        Refuse("archive", "mapping", "one", "two");
        Refuse("other", "too_large", "three");
        Assert.Equal(ExitCode.Ok, await Run("list"));
        Assert.Contains("archive: 2 records refused as mapping, from 20", Said, StringComparison.Ordinal);
        Assert.Contains("other: 1 record refused as too_large", Said, StringComparison.Ordinal);
        Assert.Contains("the last: the receiver's words", Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_letters_themselves_can_be_printed_and_chosen()
    {
        Refuse("archive", "mapping", "one");
        Refuse("other", "mapping", "two");
        Assert.Equal(ExitCode.Ok, await Run("list", "--lines", "--output", "other"));
        Assert.Contains("\"message\":\"two\"", Assert.Single(Said.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_any_the_list_says_so()
    {
        Assert.Equal(ExitCode.Ok, await Run("list"));
        Assert.Contains("no such dead letters", Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replay_sends_them_to_their_output_and_leaves_those_of_an_unknown_one()
    {
        Refuse("archive", "mapping", "one", "two");
        Refuse("gone", "mapping", "three");
        Assert.Equal(ExitCode.Failed, await Run("replay"));
        Assert.Contains("2 records delivered, 0 refused again, 1 left", Said, StringComparison.Ordinal);
        Assert.Contains("'gone', which is not configured", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllLines(_environment["LOGAGENT_OUTPUT_PATH"]).Length);
        Assert.Equal("gone", Assert.Single(new DeadLetterFiles(Path.Combine(_directory, "dead-letters")).ReadAll()).Output);

        _output.GetStringBuilder().Clear();
        Assert.Equal(ExitCode.Ok, await Run("replay", "--output", "archive"));
        Assert.Contains("0 records delivered, 0 refused again, 0 left", Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_output_that_is_down_does_not_keep_the_replay_for_ever()
    {
        Refuse("archive", "mapping", "one");
        Directory.CreateDirectory(_environment["LOGAGENT_OUTPUT_PATH"]);
        Assert.Equal(ExitCode.Failed, await Run("replay", "--wait", "0"));
        Assert.Contains("0 records delivered, 0 refused again, 1 left", Said, StringComparison.Ordinal);
    }

    private string Said => _output.ToString();

    private void Refuse(string output, string reason, params string[] messages)
    {
        DeadLetters letters = new(Path.Combine(_directory, "dead-letters"), new DeadLetterOptions(), new DocumentEncoder(Schema.Ecs), new Ledger(), TimeProvider.System, NullLogger.Instance);
        BatchBuilder batch = new();
        foreach (string message in messages)
        {
            batch.Add(message, RecordFlags.Escaped);
        }

        LogBatch built = batch.Build();
        RecordGroup group = new([new RecordRun(built, 0, built.Count)], built.Count, 10);
        Assert.True(letters.TryAdd(output, group, [.. messages.Select((_, i) => new RejectedRecord(i, reason, "the receiver's\nwords"))], out string problem), problem);
    }

    private Task<ExitCode> Run(params string[] arguments) =>
        CommandLine.RunAsync(["dead-letters", .. arguments], new CommandContext(_output, _error, _environment, TimeProvider.System));
}
