using LogAgent.Benchmarks;

if (args is ["reference", var files, var port])
{
    return ReferenceCopy.Run(files, int.Parse(port, System.Globalization.CultureInfo.InvariantCulture));
}

if (!Arguments.TryParse(args, out Arguments? arguments, out string problem))
{
    Console.Error.WriteLine(problem);
    Console.Error.WriteLine(Arguments.Usage);
    return 2;
}

return arguments.Command switch
{
    "idle" => await IdleBenchmark.RunAsync(arguments),
    "stages" => StageBenchmark.Run(arguments),
    _ => await ThroughputBenchmark.RunAsync(arguments),
};
