using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace LogAgent.Outputs.Kafka;

/// <summary>
/// The functions of librdkafka that the hot path needs: Confluent.Kafka makes, configures and ends a producer, but its own
/// Produce and delivery handler cost more than librdkafka itself. The library comes from the distribution; it is loaded when
/// the first Kafka output asks for it and never unloaded.
/// </summary>
internal static unsafe class Librdkafka
{
    public const int EventDeliveryReport = 0x1;
    public const int EventError = 0x8;

    /// <summary>1.9.0: the first with all that is used here; 2.0.2 is what the tests run with.</summary>
    private const int OldestVersion = 0x010900ff;

    /// <summary>The first version whose SCRAM a broker from 3.8.1 on accepts.</summary>
    private const int ScramVersion = 0x020601ff;

    private static readonly Lock Gate = new();
    private static nint s_library;
    private static string s_problem = "";

    public static delegate* unmanaged[Cdecl]<nint, KafkaArgument*, nuint, nint> ProduceVa { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, int> ErrorCode { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, void> ErrorDestroy { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, byte*, nint, nint> TopicNew { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, void> TopicDestroy { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, nint> QueueGetMain { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, int, nint> QueuePoll { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, void> QueueYield { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, void> QueueDestroy { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, int> EventType { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, int> EventErrorCode { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, byte*> EventErrorText { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, nuint> EventRecordCount { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, KafkaReport**, nuint, nuint> EventRecords { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, void> EventDestroy { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, int, int> Purge { get; private set; }

    public static delegate* unmanaged[Cdecl]<nuint, nint> HeadersNew { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, nint> HeadersCopy { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, byte*, nint, byte*, nint, int> HeaderAdd { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, void> HeadersDestroy { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, int, nint, nint*, int, int> Metadata { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, void> MetadataDestroy { get; private set; }

    public static delegate* unmanaged[Cdecl]<nint, byte*, nuint, int> FatalError { get; private set; }

    private static delegate* unmanaged[Cdecl]<int, byte*> ErrorText { get; set; }

    private static delegate* unmanaged[Cdecl]<int, byte*> ErrorName { get; set; }

    private static delegate* unmanaged[Cdecl]<nint> ConfNew { get; set; }

    private static delegate* unmanaged[Cdecl]<nint, byte*, byte*, byte*, nuint, int> ConfSet { get; set; }

    private static delegate* unmanaged[Cdecl]<nint, void> ConfDestroy { get; set; }

    /// <summary>As 2.0.2; empty before the library is loaded.</summary>
    public static string Version { get; private set; } = "";

    /// <summary>True where the library is too old for SCRAM with a broker from 3.8.1 on: such a broker answers "invalid credentials" to right ones.</summary>
    public static bool ScramIsOutdated { get; private set; }

    /// <summary>Loads the library, once. False: it is missing or too old, and the problem says which package to install.</summary>
    public static bool TryLoad(out string problem)
    {
        lock (Gate)
        {
            if (s_library == 0 && s_problem.Length == 0)
            {
                s_problem = Load();
            }

            problem = s_problem;
            return s_problem.Length == 0;
        }
    }

    /// <summary>Says what is wrong with a property as librdkafka sees it; null where it is right.</summary>
    public static string? Validate(string property, string value)
    {
        nint conf = ConfNew();
        try
        {
            Span<byte> problem = stackalloc byte[512];
            fixed (byte* name = ZeroEnded(property), text = ZeroEnded(value), target = problem)
            {
                return ConfSet(conf, name, text, target, (nuint)problem.Length) == 0 ? null : Text(target);
            }
        }
        finally
        {
            ConfDestroy(conf);
        }
    }

    /// <summary>An error code in words, with librdkafka's name for it.</summary>
    public static string Describe(int code) => $"{Text(ErrorText(code))} ({Text(ErrorName(code))})";

    /// <summary>librdkafka's name of an error code, in small letters, as a label for counters: msg_size_too_large.</summary>
    public static string Label(int code) => Text(ErrorName(code)).TrimStart('_').ToLowerInvariant();

    public static string Text(byte* text) => text == null ? "" : Marshal.PtrToStringUTF8((nint)text) ?? "";

    public static byte[] ZeroEnded(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static string Load()
    {
        Assembly confluent = typeof(Confluent.Kafka.ProducerConfig).Assembly;
        string[] names = ["librdkafka.so.1", "librdkafka.so", "librdkafka"];
        if (!names.Any(name => NativeLibrary.TryLoad(name, confluent, null, out s_library)))
        {
            return "a kafka output needs librdkafka, which is not installed: install the package librdkafka1 (Debian, Ubuntu: apt-get install librdkafka1) or librdkafka (Fedora, Alpine)";
        }

        int version = ((delegate* unmanaged[Cdecl]<int>)NativeLibrary.GetExport(s_library, "rd_kafka_version"))();
        Version = $"{version >> 24}.{(version >> 16) & 0xff}.{(version >> 8) & 0xff}";
        if (version < OldestVersion)
        {
            return $"a kafka output needs librdkafka 1.9 or newer, and the one installed is {Version}: install a newer package librdkafka1, from backports or from Confluent's own packages";
        }

        ScramIsOutdated = version < ScramVersion;
        try
        {
            Bind();
        }
        catch (EntryPointNotFoundException missing)
        {
            return $"librdkafka {Version} lacks a function that a kafka output needs ({missing.Message}): install a newer package librdkafka1";
        }

        NativeLibrary.SetDllImportResolver(confluent, static (name, _, _) => name == "librdkafka" ? s_library : 0);
        return "";
    }

    private static void Bind()
    {
        ProduceVa = (delegate* unmanaged[Cdecl]<nint, KafkaArgument*, nuint, nint>)Export("rd_kafka_produceva");
        ErrorCode = (delegate* unmanaged[Cdecl]<nint, int>)Export("rd_kafka_error_code");
        ErrorDestroy = (delegate* unmanaged[Cdecl]<nint, void>)Export("rd_kafka_error_destroy");
        TopicNew = (delegate* unmanaged[Cdecl]<nint, byte*, nint, nint>)Export("rd_kafka_topic_new");
        TopicDestroy = (delegate* unmanaged[Cdecl]<nint, void>)Export("rd_kafka_topic_destroy");
        QueueGetMain = (delegate* unmanaged[Cdecl]<nint, nint>)Export("rd_kafka_queue_get_main");
        QueuePoll = (delegate* unmanaged[Cdecl]<nint, int, nint>)Export("rd_kafka_queue_poll");
        QueueYield = (delegate* unmanaged[Cdecl]<nint, void>)Export("rd_kafka_queue_yield");
        QueueDestroy = (delegate* unmanaged[Cdecl]<nint, void>)Export("rd_kafka_queue_destroy");
        EventType = (delegate* unmanaged[Cdecl]<nint, int>)Export("rd_kafka_event_type");
        EventErrorCode = (delegate* unmanaged[Cdecl]<nint, int>)Export("rd_kafka_event_error");
        EventErrorText = (delegate* unmanaged[Cdecl]<nint, byte*>)Export("rd_kafka_event_error_string");
        EventRecordCount = (delegate* unmanaged[Cdecl]<nint, nuint>)Export("rd_kafka_event_message_count");
        EventRecords = (delegate* unmanaged[Cdecl]<nint, KafkaReport**, nuint, nuint>)Export("rd_kafka_event_message_array");
        EventDestroy = (delegate* unmanaged[Cdecl]<nint, void>)Export("rd_kafka_event_destroy");
        HeadersNew = (delegate* unmanaged[Cdecl]<nuint, nint>)Export("rd_kafka_headers_new");
        HeadersCopy = (delegate* unmanaged[Cdecl]<nint, nint>)Export("rd_kafka_headers_copy");
        HeaderAdd = (delegate* unmanaged[Cdecl]<nint, byte*, nint, byte*, nint, int>)Export("rd_kafka_header_add");
        HeadersDestroy = (delegate* unmanaged[Cdecl]<nint, void>)Export("rd_kafka_headers_destroy");
        Purge = (delegate* unmanaged[Cdecl]<nint, int, int>)Export("rd_kafka_purge");
        Metadata = (delegate* unmanaged[Cdecl]<nint, int, nint, nint*, int, int>)Export("rd_kafka_metadata");
        MetadataDestroy = (delegate* unmanaged[Cdecl]<nint, void>)Export("rd_kafka_metadata_destroy");
        FatalError = (delegate* unmanaged[Cdecl]<nint, byte*, nuint, int>)Export("rd_kafka_fatal_error");
        ErrorText = (delegate* unmanaged[Cdecl]<int, byte*>)Export("rd_kafka_err2str");
        ErrorName = (delegate* unmanaged[Cdecl]<int, byte*>)Export("rd_kafka_err2name");
        ConfNew = (delegate* unmanaged[Cdecl]<nint>)Export("rd_kafka_conf_new");
        ConfSet = (delegate* unmanaged[Cdecl]<nint, byte*, byte*, byte*, nuint, int>)Export("rd_kafka_conf_set");
        ConfDestroy = (delegate* unmanaged[Cdecl]<nint, void>)Export("rd_kafka_conf_destroy");
    }

    private static nint Export(string name) => NativeLibrary.GetExport(s_library, name);
}
