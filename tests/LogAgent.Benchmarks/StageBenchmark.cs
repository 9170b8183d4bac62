using System.Text;
using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Outputs.Elasticsearch;
using LogAgent.Tailing;
using LogAgent.Tailing.Checkpoints;

namespace LogAgent.Benchmarks;

/// <summary>What a record costs in CPU time at each stage of its way, in this process: reading and parsing, then encoding too.</summary>
internal static class StageBenchmark
{
    public static int Run(Arguments arguments)
    {
        using LogTree tree = LogTree.Create(arguments.Size, arguments.Files);
        tree.WarmPageCache();
        Console.WriteLine("CPU time in ns a record, the best of the runs: reading and parsing | and encoding for a bulk request");
        double reading = double.MaxValue;
        double encoding = double.MaxValue;
        for (int run = 0; run < Math.Max(3, arguments.Runs); run++)
        {
            reading = Math.Min(reading, Measure(tree, encode: false));
            encoding = Math.Min(encoding, Measure(tree, encode: true));
        }

        Console.WriteLine($"{reading:0} | {encoding - reading:0}");
        return 0;
    }

    private static double Measure(LogTree tree, bool encode)
    {
        DirectoryInfo state = Directory.CreateTempSubdirectory("logagent-bench-state-");
        if (!IndexName.TryParse("logagent-%{yyyy.MM.dd}", out IndexName index, out string problem))
        {
            throw new InvalidOperationException(problem);
        }

        BulkEncoder encoder = new(new DocumentEncoder(Schema.Ecs), index, positionIds: true);
        using ByteBuffer body = new(8 << 20);
        FieldSet fields = new([], Encoding.UTF8.GetBytes($$$"""
            "host":{"name":"benchmark"},"orchestrator":{"cluster":{"name":"bench"}},"container":{"id":"{{{new string('c', 64)}}}","name":"shop-service-1","image":{"name":"registry:5000/team/service","tag":"1.4.2"},"labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"service-1"}},"service":{"name":"service-1"}
            """));
        long records = 0;
        try
        {
            using TailLoop loop = new(new TailOptions { CheckpointInterval = TimeSpan.FromHours(1) }, new CheckpointStore(state.FullName), new MemoryBudget(64 << 20), TimeProvider.System, Take, _ => { });
            foreach (string log in tree.Logs)
            {
                loop.Set(new TailTarget { Id = log, Path = log, Format = TailFormat.DockerJson, Fields = fields });
            }

            TimeSpan before = Environment.CpuUsage.TotalTime;
            while (loop.PollOnce().More)
            {
            }

            TimeSpan used = Environment.CpuUsage.TotalTime - before;
            return records == tree.Records ? used.TotalNanoseconds / records : throw new InvalidOperationException($"{records} of {tree.Records} records came.");
        }
        finally
        {
            state.Delete(recursive: true);
        }

        void Take(LogBatch batch)
        {
            records += batch.Count;
            if (encode)
            {
                RecordRun run = new(batch, 0, batch.Count);
                if (body.Length > 4 << 20)
                {
                    body.Clear();
                }

                encoder.Write(body, run, 0, int.MaxValue, indexOnItems: false, int.MaxValue);
            }

            batch.Acknowledge();
        }
    }
}
