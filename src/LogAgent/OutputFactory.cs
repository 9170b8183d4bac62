using LogAgent.Configuration;
using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Outputs.Elasticsearch;
using LogAgent.Outputs.Kafka;
using LogAgent.Outputs.Syslog;

namespace LogAgent;

/// <summary>From a type of output in the configuration to its options and the output itself.</summary>
internal static class OutputFactory
{
    /// <summary>Reads the keys that belong to the type.</summary>
    public static object ReadOptions(OutputType type, SectionReader section) => type switch
    {
        OutputType.Console => ConsoleOptions.Read(section),
        OutputType.File => FileOutputOptions.Read(section),
        OutputType.Elasticsearch => ElasticsearchOptions.Read(section),
        OutputType.Kafka => KafkaOptions.Read(section),
        OutputType.Syslog => SyslogOptions.Read(section),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "A type of output without options."),
    };

    /// <summary>It holds records beside the batches.</summary>
    public static bool HasQueue(OutputSection section) => section.Options is KafkaOptions;

    /// <summary>Bytes that an output with a queue needs for it at least.</summary>
    public const long SmallestQueue = KafkaOptions.SmallestQueueMemory;

    /// <summary>Makes the output; it connects to nothing before its first send.</summary>
    /// <param name="queue">The most bytes that it may hold beside the batches.</param>
    public static IOutput Create(OutputSection section, DocumentEncoder documents, TimeProvider time, ILoggerFactory loggers, long queue) => section.Options switch
    {
        ConsoleOptions options => new ConsoleOutput(section.Name, options, documents, time),
        FileOutputOptions options => new FileOutput(section.Name, options, documents, time),
        ElasticsearchOptions options => new ElasticsearchOutput(options, documents, time, loggers.CreateLogger<ElasticsearchOutput>()),
        KafkaOptions options => new KafkaOutput(options with { QueueMemory = Math.Min(options.QueueMemory, queue) }, documents, time, loggers.CreateLogger<KafkaOutput>()),
        SyslogOptions options => new SyslogOutput(options, time, loggers.CreateLogger<SyslogOutput>()),
        _ => throw new ArgumentException($"No output is made from {section.Options.GetType().Name}.", nameof(section)),
    };
}
