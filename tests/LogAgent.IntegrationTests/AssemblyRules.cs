// The scenarios load the machine and measure against each other's processes: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
