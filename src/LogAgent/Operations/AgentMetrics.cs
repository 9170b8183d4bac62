using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent.Operations;

/// <summary>The metrics of what the agent does: the ledger, the files, the memory in flight. Thread-safe.</summary>
internal sealed class AgentMetrics(Ledger ledger, TailLoop tail, MemoryBudget budget, Progress progress, Func<int> containers)
{
    public IEnumerable<Metric> Read()
    {
        LedgerSnapshot counted = ledger.Snapshot();
        yield return Counter("logagent_records_read_total", "Records read from all files.", counted.Read.Records);
        yield return Counter("logagent_bytes_read_total", "Bytes of log files read, as they stand on disk.", counted.Read.Bytes);
        yield return Counter("logagent_corrupt_lines_total", "Lines that were not in the format of their file; shipped as they stand, flagged corrupt.", counted.CorruptLines);
        yield return Counter("logagent_truncated_records_total", "Records cut at limits.record.", counted.TruncatedRecords);
        yield return Counter("logagent_dead_letters_dropped_total", "Dead letters removed because dead_letters.max_bytes was reached.", counted.DeadLettersDropped);
        foreach ((string reason, Amount lost) in counted.LostBytes)
        {
            yield return Counter("logagent_lost_bytes_total", "Bytes of log files that were gone before they could be read, or were cut off, by reason.", lost.Bytes, ("reason", reason));
        }

        foreach ((string reason, Amount missed) in counted.MissedContainers)
        {
            yield return Counter("logagent_containers_missed_total", "Containers that have written and of which nothing could be read, by reason.", missed.Records, ("reason", reason));
        }

        foreach (OutputSnapshot output in counted.Outputs)
        {
            foreach (Metric metric in Of(output))
            {
                yield return metric;
            }
        }

        foreach (Metric metric in Files())
        {
            yield return metric;
        }

        yield return Gauge("logagent_memory_used_bytes", "Memory taken from limits.memory, by records in flight and for the queues of outputs.", budget.Used + budget.Reserved);
        yield return Gauge("logagent_memory_limit_bytes", "limits.memory.", budget.Total);
        yield return Gauge("logagent_containers", "Containers whose logs are read.", containers());
        yield return Gauge("logagent_stalled_seconds", "How long records have been in flight without any being delivered; 0 while they move or none is.", progress.StalledFor.TotalSeconds);
    }

    private static IEnumerable<Metric> Of(OutputSnapshot output)
    {
        (string, string) name = ("output", output.Name);
        yield return Counter("logagent_output_records_read_total", "Records offered to the output: acknowledged + filtered + rejected + lost + in flight.", output.Read.Records, name);
        yield return Counter("logagent_output_records_acknowledged_total", "Records delivered.", output.Acknowledged.Records, name);
        yield return Counter("logagent_output_bytes_acknowledged_total", "Bytes of messages delivered.", output.Acknowledged.Bytes, name);
        yield return Counter("logagent_output_records_filtered_total", "Records that the output does not take (only).", output.Filtered.Records, name);
        yield return Counter("logagent_output_records_retried_total", "Records sent once more, each time counted.", output.RetriedRecords, name);
        yield return Counter("logagent_output_records_truncated_total", "Delivered records whose message was cut so that the receiver takes them.", output.Cut.Records, name);
        yield return Counter("logagent_output_bytes_truncated_total", "Bytes that were cut off them.", output.Cut.Bytes, name);
        yield return Gauge("logagent_output_records_in_flight", "Records read and neither delivered, filtered, rejected nor lost.", output.InFlight.Records, name);
        foreach ((string reason, Amount rejected) in output.Rejected)
        {
            yield return Counter("logagent_output_records_rejected_total", "Records refused for good by the receiver, by its reason; they are dead letters.", rejected.Records, name, ("reason", reason));
        }

        foreach ((string reason, Amount lost) in output.Lost)
        {
            yield return Counter("logagent_output_records_lost_total", "Records given up for this output, by reason.", lost.Records, name, ("reason", reason));
        }

        yield return Gauge("logagent_output_up", "1 while records get through, 0 while none does.", output.State.Up ? 1 : 0, name);
        yield return Gauge("logagent_output_concurrency", "Sends that may be under way at once.", output.State.Concurrency, name);
    }

    private IEnumerable<Metric> Files()
    {
        IReadOnlyList<FileStatus> files = tail.Files;
        yield return Gauge("logagent_files_open", "Log files held open.", files.Count(file => file.Open));
        yield return Gauge("logagent_unacknowledged_seconds", "For how long, at least, the oldest bytes of all log files have waited to be acknowledged by every output; 0 where none waits.", files.Count == 0 ? 0 : files.Max(file => file.Waits.TotalSeconds));
        yield return Gauge("logagent_checkpoint_age_seconds", "How long the checkpoint file has not been brought up to date though something was acknowledged since; 0 while it is written in time.", tail.CheckpointAge.TotalSeconds);
        yield return Gauge("logagent_lag_bytes", "Bytes of all log files that are not yet acknowledged by every output.", files.Sum(file => file.Lag));
        foreach (IGrouping<string, FileStatus> target in files.GroupBy(file => file.TargetId))
        {
            yield return Gauge("logagent_file_lag_bytes", "Bytes of one target's files (a container's log, or a log file) that are not yet acknowledged by every output.", target.Sum(file => file.Lag), ("target", target.Key), ("path", target.Last().Path));
        }
    }

    private static Metric Counter(string name, string help, double value, params (string Name, string Value)[] labels) => new(name, help, MetricType.Counter, value, labels);

    private static Metric Gauge(string name, string help, double value, params (string Name, string Value)[] labels) => new(name, help, MetricType.Gauge, value, labels);
}
