using System.Text.Json;
using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Outputs.Kafka;
using LogAgent.Tailing;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Outputs.Kafka;

public sealed class KafkaOutputTests : IAsyncLifetime
{
    private const int NotEnoughReplicas = 19;
    private const int TooLarge = 10;
    private const int NotAuthorized = 29;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ListLogger _logger = new();
    private readonly List<KafkaOutput> _outputs = [];

    [KafkaFact]
    public async Task A_record_arrives_with_its_document_key_headers_and_time()
    {
        using MockKafka kafka = new();
        kafka.CreateTopic("logs");
        RecordGroup group = Builder("abc").Add("hello", nanos: 1_700_000_000_123_456_789, rawTime: "2023-11-14T22:13:20.123456789Z").BuildGroup();
        string id = IdOf(group);

        SendResult result = await Send(Output(kafka), group);

        Assert.Same(SendResult.Delivered, result);
        KafkaRecord record = Assert.Single(kafka.ReadAll("logs"));
        Assert.Equal("abc", record.Key);
        Assert.Equal(1_700_000_000_123, record.Milliseconds);
        Assert.Equal("hello", Message(record));
        Assert.Equal(id, record.Headers["logagent-id"]);
        Assert.Equal("application/json", record.Headers["content-type"]);
        Assert.Equal("ecs", record.Headers["schema"]);
    }

    [KafkaFact]
    public async Task Records_of_a_key_keep_their_order_through_many_groups()
    {
        using MockKafka kafka = new();
        kafka.CreateTopic("logs");
        KafkaOutput output = Output(kafka);
        List<Task<SendResult>> sends = [];
        for (int group = 0; group < 40; group++)
        {
            BatchBuilder one = Builder("one");
            for (int i = 0; i < 50; i++)
            {
                one.Add($"{(group * 50) + i}");
            }

            sends.Add(output.SendAsync(one.BuildGroup(), default));
        }

        await Task.WhenAll(sends).WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(0, 2000), kafka.ReadAll("logs").Select(record => int.Parse(Message(record))));
    }

    [KafkaFact]
    public async Task Passing_errors_of_the_broker_cost_and_double_nothing()
    {
        using MockKafka kafka = new(3);
        kafka.CreateTopic("logs");
        kafka.PushErrors(MockKafka.ProduceApi, NotEnoughReplicas, NotEnoughReplicas, 6, 7, NotEnoughReplicas);
        BatchBuilder builder = Builder("one");
        for (int i = 0; i < 200; i++)
        {
            builder.Add($"{i}");
        }

        Assert.Same(SendResult.Delivered, await Send(Output(kafka), builder.BuildGroup()));
        Assert.Equal(Enumerable.Range(0, 200), kafka.ReadAll("logs").Select(record => int.Parse(Message(record))));
    }

    [KafkaFact]
    public async Task A_batch_that_the_broker_finds_too_large_is_sent_one_by_one()
    {
        using MockKafka kafka = new();
        kafka.CreateTopic("logs");
        kafka.PushErrors(MockKafka.ProduceApi, TooLarge);
        RecordGroup group = Builder("one").Add("a").Add("b").Add("c").BuildGroup();

        Assert.Same(SendResult.Delivered, await Send(Output(kafka), group));
        Assert.Equal(["a", "b", "c"], kafka.ReadAll("logs").Select(Message));
        Assert.Contains(_logger.Lines, line => line.Contains("one by one", StringComparison.Ordinal));
    }

    [KafkaFact]
    public async Task A_record_over_the_limit_is_cut_and_flagged_and_blocks_nothing()
    {
        using MockKafka kafka = new();
        kafka.CreateTopic("logs");
        KafkaOutput output = Output(kafka, options => options with { MaxMessage = 5000 });
        RecordGroup group = Builder("one").Add("a").Add(new string('x', 9000)).Add(new string('\n', 9000)).Add("b").BuildGroup();

        SendResult result = await Send(output, group);
        List<KafkaRecord> records = kafka.ReadAll("logs");
        Assert.Equal("a", Message(records[0]));
        Assert.InRange(Message(records[1]).Length, 3000, 5000);
        Assert.InRange(Message(records[2]).Length, 1500, 2500);
        Assert.All(records[1..3], record => Assert.Contains("\"flags\":[\"truncated\"]", record.Value, StringComparison.Ordinal));
        Assert.Equal("b", Message(records[3]));
        Assert.Equal(new(2, 18_000 - Message(records[1]).Length - Message(records[2]).Length), result.Cut);
    }

    [KafkaFact]
    public async Task A_record_over_the_limit_becomes_a_dead_letter_where_that_is_asked_for()
    {
        using MockKafka kafka = new();
        kafka.CreateTopic("logs");
        KafkaOutput output = Output(kafka, options => options with { MaxMessage = 5000, Oversize = KafkaOversize.DeadLetter });

        SendResult result = await Send(output, Builder("one").Add("a").Add(new string('x', 9000)).Add("b").BuildGroup());

        RejectedRecord rejected = Assert.Single(result.Rejected);
        Assert.Equal((1, "message_too_large"), (rejected.Index, rejected.Reason));
        Assert.Equal(["a", "b"], kafka.ReadAll("logs").Select(Message));
    }

    [KafkaFact]
    public async Task A_topic_that_refuses_keeps_its_records_and_others_go_on()
    {
        using MockKafka kafka = new();
        kafka.CreateTopic("logs-good");
        kafka.CreateTopic("logs-bad");
        kafka.SetTopicError("logs-bad", NotAuthorized);
        KafkaOutput output = Output(kafka, options => options with { Topic = TopicPattern.Parse("logs-%{service}"), TroubleAfter = TimeSpan.FromSeconds(1) });

        Task<SendResult> bad = output.SendAsync(Builder("one", "bad").Add("1").Add("2").BuildGroup(), default);
        Task<SendResult> good = output.SendAsync(Builder("two", "good").Add("3").BuildGroup(), default);

        await good.WaitAsync(Patience);
        await Until(() => output.Condition.Trouble.Contains("may not write", StringComparison.Ordinal));
        Assert.False(bad.IsCompleted);
        await Until(() => _logger.Lines.Any(line => line.Contains("for topic 'logs-bad'", StringComparison.Ordinal)));

        kafka.SetTopicError("logs-bad", 0);
        await bad.WaitAsync(Patience);
        Assert.Equal(["1", "2"], kafka.ReadAll("logs-bad").Select(Message));
    }

    [KafkaFact]
    public async Task However_many_topics_refuse_they_leave_room_in_the_queue_to_the_others()
    {
        using MockKafka kafka = new();
        kafka.CreateTopic("logs-good");
        KafkaOutput output = Output(kafka, options => options with { Topic = TopicPattern.Parse("logs-%{service}"), QueueMemory = 1 << 20, Properties = new Dictionary<string, string> { ["retry.backoff.ms"] = "50" } });
        List<Task<SendResult>> bad = [];
        for (int topic = 0; topic < 6; topic++)
        {
            kafka.CreateTopic($"logs-bad{topic}");
            kafka.SetTopicError($"logs-bad{topic}", NotEnoughReplicas);
            for (int group = 0; group < 20; group++)
            {
                bad.Add(output.SendAsync(Large($"bad{topic}"), default));
            }
        }

        for (int group = 0; group < 20; group++)
        {
            await Send(output, Large("good"));
        }

        Assert.All(bad, send => Assert.False(send.IsCompleted));
        Assert.Equal(400, kafka.ReadAll("logs-good").Count);
    }

    [KafkaFact]
    public async Task Records_wait_for_a_broker_that_is_away_and_arrive_when_it_is_back()
    {
        using MockKafka kafka = new();
        kafka.CreateTopic("logs");
        kafka.SetDown(1);
        KafkaOutput output = Output(kafka, options => options with { TroubleAfter = TimeSpan.FromMilliseconds(100) });
        Task<SendResult> send = output.SendAsync(Builder("one").Add("a").BuildGroup(), default);

        await Until(() => output.Condition.Trouble.Length > 0);
        Assert.False(output.Condition.Up);
        Assert.False(send.IsCompleted);

        kafka.SetUp(1);
        await send.WaitAsync(Patience);
        Assert.Equal("a", Message(Assert.Single(kafka.ReadAll("logs"))));
    }

    [KafkaFact]
    public async Task An_output_that_may_skip_gives_its_records_back_when_the_brokers_stay_away()
    {
        using MockKafka kafka = new();
        kafka.CreateTopic("logs");
        KafkaOutput output = Output(kafka, options => options with { GiveBackAfter = TimeSpan.FromMilliseconds(300) });
        await Send(output, Builder("one").Add("a").BuildGroup());
        kafka.SetDown(1);

        SendException trouble = await Assert.ThrowsAsync<SendException>(() => Send(output, Builder("one").Add("b").Add("c").BuildGroup()));
        Assert.Equal(SendTrouble.Unreachable, trouble.Trouble);

        kafka.SetUp(1);
        Task<SendResult> again;
        do
        {
            again = Send(output, Builder("one").Add("b").Add("c").BuildGroup());
            await Task.WhenAny(again);
        }
        while (again.IsFaulted);
        Assert.Equal(["a", "b", "c"], kafka.ReadAll("logs").Select(Message));
    }

    [KafkaFact]
    public async Task More_than_the_queue_holds_goes_through_it()
    {
        using MockKafka kafka = new();
        kafka.CreateTopic("logs");
        KafkaOutput output = Output(kafka, options => options with { QueueMemory = 1 << 20 });
        List<Task<SendResult>> sends = [];
        for (int group = 0; group < 10; group++)
        {
            BatchBuilder builder = Builder("one");
            for (int i = 0; i < 100; i++)
            {
                builder.Add(new string('x', 4000));
            }

            sends.Add(output.SendAsync(builder.BuildGroup(), default));
        }

        await Task.WhenAll(sends).WaitAsync(Patience);
        Assert.Equal(1000, kafka.ReadAll("logs").Count);
    }

    [KafkaFact]
    public async Task A_stop_leaves_what_is_not_acknowledged_as_cancelled()
    {
        using MockKafka kafka = new();
        kafka.CreateTopic("logs");
        kafka.SetDown(1);
        KafkaOutput output = Output(kafka);
        using CancellationTokenSource stop = new();
        Task<SendResult> send = output.SendAsync(Builder("one").Add("a").BuildGroup(), stop.Token);

        stop.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => send.WaitAsync(Patience));
    }

    [KafkaFact]
    public async Task An_output_without_a_container_id_keys_by_target_and_no_key_is_no_key()
    {
        using MockKafka kafka = new();
        kafka.CreateTopic("logs");
        await Send(Output(kafka), new BatchBuilder().Add("a").BuildGroup());
        await Send(Output(kafka, options => options with { KeyField = "", Headers = false }), Builder("one").Add("b").BuildGroup());

        List<KafkaRecord> records = kafka.ReadAll("logs");
        Assert.Equal("container:test", records.Single(record => Message(record) == "a").Key);
        Assert.Equal("", records.Single(record => Message(record) == "b").Key);
        Assert.Empty(records.Single(record => Message(record) == "b").Headers);
    }

    [KafkaFact]
    public async Task A_check_says_how_many_brokers_and_partitions_there_are()
    {
        using MockKafka kafka = new(3);
        kafka.CreateTopic("logs");
        IReadOnlyList<CheckResult> results = await Output(kafka).CheckAsync(default);
        Assert.All(results, result => Assert.True(result.Ok));
        Assert.Contains("3 brokers", results[0].Detail, StringComparison.Ordinal);
        Assert.Contains("2 partitions", results[1].Detail, StringComparison.Ordinal);
    }

    [KafkaFact]
    public async Task A_configuration_that_librdkafka_refuses_is_a_send_exception_in_words()
    {
        using MockKafka kafka = new();
        KafkaOutput output = Output(kafka, options => options with { Properties = new Dictionary<string, string> { ["max.in.flight"] = "100" } });
        SendException trouble = await Assert.ThrowsAsync<SendException>(() => Send(output, Builder("one").Add("a").BuildGroup()));
        Assert.Contains("max.in.flight", trouble.Message, StringComparison.Ordinal);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (KafkaOutput output in _outputs)
        {
            await output.DisposeAsync();
        }
    }

    private static BatchBuilder Builder(string container, string service = "shop") => new()
    {
        Target = new()
        {
            Id = $"container:{container}",
            Path = "/logs/test.log",
            Format = TailFormat.DockerJson,
            Fields = new([new("container.id", container), new("service.name", service)], "\"service\":{\"name\":\"shop\"}"u8.ToArray()),
        },
    };

    private static RecordGroup Large(string service)
    {
        BatchBuilder builder = Builder(service, service);
        for (int i = 0; i < 20; i++)
        {
            builder.Add(new string('x', 3000));
        }

        return builder.BuildGroup();
    }

    private static Task<SendResult> Send(KafkaOutput output, RecordGroup group) => output.SendAsync(group, default).WaitAsync(Patience);

    private static string Message(KafkaRecord record)
    {
        using JsonDocument document = JsonDocument.Parse(record.Value);
        return document.RootElement.GetProperty("message").GetString()!;
    }

    private static string IdOf(RecordGroup group)
    {
        Span<byte> id = stackalloc byte[RecordId.MaxLength];
        LogBatch batch = group.Runs[0].Batch;
        return System.Text.Encoding.ASCII.GetString(id[..RecordId.Write(id, batch, batch.Records[0])]);
    }

    private static async Task Until(Func<bool> condition)
    {
        using CancellationTokenSource patience = new(Patience);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while (!condition())
        {
            await timer.WaitForNextTickAsync(patience.Token);
        }
    }

    private KafkaOutput Output(MockKafka kafka, Func<KafkaOptions, KafkaOptions>? change = null)
    {
        KafkaOptions options = new() { Brokers = [kafka.Bootstrap], Linger = TimeSpan.FromMilliseconds(5) };
        KafkaOutput output = new(change is null ? options : change(options), new DocumentEncoder(Schema.Ecs), TimeProvider.System, _logger);
        _outputs.Add(output);
        return output;
    }
}
