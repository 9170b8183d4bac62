using System.Runtime.InteropServices;

namespace LogAgent.Tests.Outputs.Kafka;

/// <summary>The functions of librdkafka that the tests need: its mock cluster, and its simple consumer.</summary>
internal static unsafe partial class RdKafka
{
    private const string Library = "librdkafka.so.1";

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_new")]
    public static partial nint ConfNew();

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_set", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ConfSet(nint conf, string name, string value, byte* problem, nint size);

    [LibraryImport(Library, EntryPoint = "rd_kafka_new")]
    public static partial nint New(int type, nint conf, byte* problem, nint size);

    [LibraryImport(Library, EntryPoint = "rd_kafka_destroy")]
    public static partial void Destroy(nint client);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_new")]
    public static partial nint MockNew(nint client, int brokers);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_destroy")]
    public static partial void MockDestroy(nint cluster);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    public static partial nint MockBootstraps(nint cluster);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_push_request_errors_array")]
    public static partial void MockPushErrors(nint cluster, short api, nint count, int* errors);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_clear_request_errors")]
    public static partial void MockClearErrors(nint cluster, short api);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_topic_create", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MockTopicCreate(nint cluster, string topic, int partitions, int replicas);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_topic_set_error", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void MockTopicError(nint cluster, string topic, int error);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_broker_set_down")]
    public static partial int MockBrokerDown(nint cluster, int broker);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_broker_set_up")]
    public static partial int MockBrokerUp(nint cluster, int broker);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_broker_set_rtt")]
    public static partial int MockRoundTrip(nint cluster, int broker, int milliseconds);

    [LibraryImport(Library, EntryPoint = "rd_kafka_topic_new", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint TopicNew(nint client, string name, nint conf);

    [LibraryImport(Library, EntryPoint = "rd_kafka_topic_destroy")]
    public static partial void TopicDestroy(nint topic);

    [LibraryImport(Library, EntryPoint = "rd_kafka_consume_start")]
    public static partial int ConsumeStart(nint topic, int partition, long offset);

    [LibraryImport(Library, EntryPoint = "rd_kafka_consume_stop")]
    public static partial int ConsumeStop(nint topic, int partition);

    [LibraryImport(Library, EntryPoint = "rd_kafka_consume")]
    public static partial nint Consume(nint topic, int partition, int milliseconds);

    [LibraryImport(Library, EntryPoint = "rd_kafka_query_watermark_offsets", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Watermarks(nint client, string topic, int partition, long* low, long* high, int milliseconds);

    [LibraryImport(Library, EntryPoint = "rd_kafka_message_timestamp")]
    public static partial long Timestamp(nint record, int* type);

    [LibraryImport(Library, EntryPoint = "rd_kafka_message_headers")]
    public static partial int Headers(nint record, nint* headers);

    [LibraryImport(Library, EntryPoint = "rd_kafka_header_get_all")]
    public static partial int Header(nint headers, nint index, nint* name, nint* value, nint* size);

    [LibraryImport(Library, EntryPoint = "rd_kafka_message_destroy")]
    public static partial void RecordDestroy(nint record);
}
