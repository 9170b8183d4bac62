using LogAgent.Configuration;
using LogAgent.Outputs.Elasticsearch;

namespace LogAgent;

/// <summary>From a type of output in the configuration to its options and the output itself.</summary>
internal static class OutputFactory
{
    /// <summary>Reads the keys that belong to the type.</summary>
    public static object ReadOptions(OutputType type, SectionReader section)
    {
        switch (type)
        {
            case OutputType.Elasticsearch:
                return ElasticsearchOptions.Read(section);
            default:
                section.IgnoreUnknownKeys();
                return type;
        }
    }
}
