using System.Globalization;

namespace LogAgent.Operations;

/// <summary>Metrics of the process itself.</summary>
/// <param name="started">When the agent started.</param>
internal sealed class ProcessMetrics(DateTimeOffset started)
{
    public IEnumerable<Metric> Read()
    {
        yield return new("logagent_build_info", "The version that runs; the value is always 1.", MetricType.Gauge, 1, ("version", VersionCommand.Version));
        yield return new("process_start_time_seconds", "When the process started, in seconds since 1970.", MetricType.Gauge, started.ToUnixTimeMilliseconds() / 1000.0);
        yield return new("process_cpu_seconds_total", "Processor time used, user and system.", MetricType.Counter, Environment.CpuUsage.TotalTime.TotalSeconds);
        yield return new("process_resident_memory_bytes", "Memory resident in RAM.", MetricType.Gauge, ResidentBytes());
        yield return new("process_open_fds", "Open file handles.", MetricType.Gauge, Directory.Exists("/proc/self/fd") ? Directory.GetFileSystemEntries("/proc/self/fd").Length : 0);
        yield return new("dotnet_gc_heap_bytes", "Managed memory in use.", MetricType.Gauge, GC.GetTotalMemory(false));
        yield return new("dotnet_gc_allocated_bytes_total", "Managed memory ever allocated.", MetricType.Counter, GC.GetTotalAllocatedBytes());
    }

    /// <summary>VmRSS of /proc/self/status, which counts in KiB whatever the page size.</summary>
    private static double ResidentBytes()
    {
        try
        {
            foreach (string line in File.ReadLines("/proc/self/status"))
            {
                if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                {
                    return double.Parse(line.AsSpan(6, line.IndexOf("kB", StringComparison.Ordinal) - 6).Trim(), CultureInfo.InvariantCulture) * 1024;
                }
            }
        }
        catch (IOException)
        {
            // No /proc: the runtime's own idea is what is left.
        }

        return Environment.WorkingSet;
    }
}
