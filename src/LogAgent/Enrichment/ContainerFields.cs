using LogAgent.Configuration;
using LogAgent.Tailing;

namespace LogAgent.Enrichment;

/// <summary>
/// Makes the fields that all records of a target share. Canonical names are those of ECS; in the schema flat they become:
/// <code>
/// host.name hostname | orchestrator.cluster.name cluster_id | container.id container_id | container.name container_name
/// container.image.name image_name | container.image.tag image_tag | service.name service_name | container.labels container_labels
/// </code>
/// Static fields keep their names. Where two say the same field, the later wins: agent, container, path of the file, static fields
/// of the agent, static fields of the file.
/// </summary>
internal sealed class ContainerFields(EnrichmentOptions options)
{
    private readonly LabelRules _labels = new(options.LabelsAllow, options.LabelsDeny);

    /// <summary>The fields of a container's records.</summary>
    /// <param name="extra">Further fields by canonical name; null for none.</param>
    public FieldSet ForContainer(ContainerMetadata container, IReadOnlyDictionary<string, string>? extra = null)
    {
        FieldTree tree = new(options.Flat);
        SortedDictionary<string, string> labels = _labels.Apply(container.Labels);
        AddAgent(tree);
        Add(tree, "container.id", container.Id);
        Add(tree, "container.name", container.Name);
        Add(tree, "container.image.name", container.ImageName);
        Add(tree, "container.image.tag", container.ImageTag);
        Add(tree, "service.name", container.Service.Length > 0 ? container.Service : container.Labels.GetValueOrDefault(LabelRules.ComposeService, ""));
        tree.AddLabels(labels);
        AddAll(tree, options.Fields);
        AddAll(tree, extra);
        return tree.ToFieldSet();
    }

    /// <summary>The fields of the records of a file that no container claims.</summary>
    /// <param name="fromPath">What the file's path says.</param>
    /// <param name="extra">The static fields of the rule that found it.</param>
    public FieldSet ForFile(IReadOnlyDictionary<string, string> fromPath, IReadOnlyDictionary<string, string> extra)
    {
        FieldTree tree = new(options.Flat);
        AddAgent(tree);
        AddAll(tree, fromPath);
        AddAll(tree, options.Fields);
        AddAll(tree, extra);
        return tree.ToFieldSet();
    }

    private void AddAgent(FieldTree tree)
    {
        Add(tree, "host.name", options.Host);
        Add(tree, "orchestrator.cluster.name", options.Cluster);
    }

    private static void AddAll(FieldTree tree, IReadOnlyDictionary<string, string>? fields)
    {
        foreach ((string name, string value) in fields ?? new Dictionary<string, string>())
        {
            if (StaticFields.ProblemOf(name) is null)
            {
                tree.Add(name, value);
            }
        }
    }

    private static void Add(FieldTree tree, string name, string value)
    {
        if (value.Length > 0)
        {
            tree.Add(name, LabelRules.Cut(value, LabelRules.ValueLimit));
        }
    }
}
