using System.Runtime.InteropServices;
using System.Text;

namespace LogAgent.Tests.Outputs.Kafka;

/// <summary>A record as it was read back.</summary>
internal sealed record KafkaRecord(int Partition, string Key, string Value, long Milliseconds, IReadOnlyDictionary<string, string> Headers);

/// <summary>librdkafka's mock cluster: real TCP on a port of its own, errors on request, read back from the beginning.</summary>
internal sealed unsafe class MockKafka : IDisposable
{
    public const short ProduceApi = 0;
    public const int Partitions = 2;

    private readonly nint _client;
    private readonly nint _cluster;

    public MockKafka(int brokers = 1)
    {
        _client = NewClient(producer: true, ("log_level", "0"));
        _cluster = RdKafka.MockNew(_client, brokers);
        Bootstrap = Marshal.PtrToStringUTF8(RdKafka.MockBootstraps(_cluster))!;
    }

    public string Bootstrap { get; }

    public void CreateTopic(string topic) => Assert.Equal(0, RdKafka.MockTopicCreate(_cluster, topic, Partitions, 1));

    public void SetTopicError(string topic, int error) => RdKafka.MockTopicError(_cluster, topic, error);

    /// <summary>The next requests of the kind are answered with these errors, one each.</summary>
    public void PushErrors(short api, params int[] errors)
    {
        fixed (int* first = errors)
        {
            RdKafka.MockPushErrors(_cluster, api, errors.Length, first);
        }
    }

    public void ClearErrors(short api) => RdKafka.MockClearErrors(_cluster, api);

    public void SetRoundTrip(int broker, int milliseconds) => Assert.Equal(0, RdKafka.MockRoundTrip(_cluster, broker, milliseconds));

    public void SetDown(int broker) => Assert.Equal(0, RdKafka.MockBrokerDown(_cluster, broker));

    public void SetUp(int broker) => Assert.Equal(0, RdKafka.MockBrokerUp(_cluster, broker));

    /// <summary>Everything that stands in the topic, partition by partition.</summary>
    public List<KafkaRecord> ReadAll(string topic)
    {
        nint consumer = NewClient(producer: false, ("bootstrap.servers", Bootstrap), ("log_level", "0"));
        nint handle = RdKafka.TopicNew(consumer, topic, 0);
        List<KafkaRecord> records = [];
        try
        {
            for (int partition = 0; partition < Partitions; partition++)
            {
                long low, high;
                Assert.Equal(0, RdKafka.Watermarks(consumer, topic, partition, &low, &high, 5000));
                Assert.Equal(0, RdKafka.ConsumeStart(handle, partition, -2));
                for (long left = high - low; left > 0; left--)
                {
                    nint record = RdKafka.Consume(handle, partition, 5000);
                    Assert.NotEqual(0, record);
                    Assert.Equal(0, *(int*)record);
                    records.Add(Read(record, partition));
                    RdKafka.RecordDestroy(record);
                }

                RdKafka.ConsumeStop(handle, partition);
            }
        }
        finally
        {
            RdKafka.TopicDestroy(handle);
            RdKafka.Destroy(consumer);
        }

        return records;
    }

    public void Dispose()
    {
        RdKafka.MockDestroy(_cluster);
        RdKafka.Destroy(_client);
    }

    private static KafkaRecord Read(nint record, int partition)
    {
        nint* fields = (nint*)record;
        Dictionary<string, string> headers = [];
        nint list;
        if (RdKafka.Headers(record, &list) == 0)
        {
            nint name, value, size;
            for (int i = 0; RdKafka.Header(list, i, &name, &value, &size) == 0; i++)
            {
                headers.Add(Marshal.PtrToStringUTF8(name)!, Marshal.PtrToStringUTF8(value, (int)size));
            }
        }

        int type;
        string key = fields[5] == 0 ? "" : Encoding.UTF8.GetString((byte*)fields[5], (int)fields[6]);
        return new(partition, key, Encoding.UTF8.GetString((byte*)fields[3], (int)fields[4]), RdKafka.Timestamp(record, &type), headers);
    }

    private static nint NewClient(bool producer, params (string Name, string Value)[] properties)
    {
        nint conf = RdKafka.ConfNew();
        byte* problem = stackalloc byte[512];
        foreach ((string name, string value) in properties)
        {
            Assert.Equal(0, RdKafka.ConfSet(conf, name, value, problem, 512));
        }

        nint client = RdKafka.New(producer ? 0 : 1, conf, problem, 512);
        Assert.True(client != 0, Marshal.PtrToStringUTF8((nint)problem));
        return client;
    }
}
