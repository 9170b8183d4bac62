using System.Runtime.CompilerServices;
using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>
/// Hands each batch to every output that takes something of it. The list of outputs can be replaced while it runs.
/// </summary>
internal sealed class Fanout(Ledger ledger, MemoryBudget budget)
{
    private readonly Lock _gate = new();
    private OutputWorker[] _workers = [];
    private Offer[] _offers = [];

    /// <summary>Raised when an output has room again; for whom says <see cref="HasRoom"/>. On any thread.</summary>
    public event Action? RoomMade;

    /// <summary>
    /// False while an output that takes the target's records has enough that goes the same way: reading more of this target
    /// had better wait. A way (an output, one of its topics) may hold twice the memory that is free for others: one that is
    /// stuck leaves a third of it to them, ten leave a twentieth. Called on the tail loop's thread.
    /// </summary>
    public bool HasRoom(TailTarget target)
    {
        OutputWorker[] workers = Volatile.Read(ref _workers);
        long share = workers is [{ HasOneLane: true }] ? long.MaxValue : 2 * Math.Max(0, budget.Limit - budget.Used);
        foreach (OutputWorker worker in workers)
        {
            if (!worker.HasRoom(target, share))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Sets the outputs, all at once: a batch goes to those of before or to these, never to a mix. When it has returned, the
    /// removed ones are given nothing more and can be stopped or retired.
    /// </summary>
    public void SetOutputs(IReadOnlyList<OutputWorker> workers)
    {
        if (workers.Count == 0)
        {
            throw new ArgumentException("Without an output, records would count as delivered and be nowhere.", nameof(workers));
        }

        lock (_gate)
        {
            _offers = new Offer[workers.Count];
            foreach (OutputWorker worker in workers)
            {
                worker.RoomMade = () => RoomMade?.Invoke();
            }

            Volatile.Write(ref _workers, [.. workers]);
        }

        RoomMade?.Invoke();
    }

    /// <summary>Called for each batch in order, on the tail loop's thread. Never waits; the batch may be completed before it returns.</summary>
    public void Emit(LogBatch batch)
    {
        Amount all = Sum(batch, out bool hasGaps);
        int records = batch.Count;
        if (hasGaps)
        {
            all = Count(batch, StreamSet.All, out records);
        }

        ledger.Read(new(all.Records, batch.InputBytes));
        int takers = 0;
        lock (_gate)
        {
            if (_workers.Length == 0)
            {
                throw new InvalidOperationException("A batch was read before there was an output.");
            }

            for (int i = 0; records > 0 && i < _workers.Length; i++)
            {
                _offers[i] = OfferTo(_workers[i], batch, all, records, hasGaps);
                takers += _offers[i].Records > 0 ? 1 : 0;
            }

            if (takers > 0)
            {
                batch.ExpectOutputs(takers);
                for (int i = 0; i < _workers.Length; i++)
                {
                    if (_offers[i].Records > 0)
                    {
                        _workers[i].Enqueue(batch, new(_offers[i].Records, _offers[i].Bytes), hasGaps);
                    }
                }

                return;
            }
        }

        batch.ExpectOutputs(0);
    }

    /// <summary>What an output takes of the batch, gap records included; told to its ledger.</summary>
    private static Offer OfferTo(OutputWorker worker, LogBatch batch, Amount all, int records, bool hasGaps)
    {
        OutputSubset subset = worker.Rules.Subset;
        if (!subset.Takes(batch.Fields))
        {
            worker.Ledger.Read(all, all);
            return default;
        }

        if (subset.Streams == StreamSet.All && !hasGaps)
        {
            worker.Ledger.Read(all, default);
            return new(records, all.Bytes);
        }

        Amount counted = Count(batch, subset.Streams, out int taken);
        worker.Ledger.Read(all, all - counted);
        long bytes = counted.Bytes;
        if (hasGaps)
        {
            foreach (ref readonly LogRecord record in batch.Records)
            {
                bytes += (record.Flags & RecordFlags.Gap) != 0 ? record.MessageLength : 0;
            }
        }

        return new(taken, bytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Amount Sum(LogBatch batch, out bool hasGaps)
    {
        long bytes = 0;
        RecordFlags flags = RecordFlags.None;
        foreach (ref readonly LogRecord record in batch.Records)
        {
            bytes += record.MessageLength;
            flags |= record.Flags;
        }

        hasGaps = (flags & RecordFlags.Gap) != 0;
        return new(batch.Count, bytes);
    }

    /// <param name="records">Those of the streams, gap records included.</param>
    /// <returns>Those of the streams without gap records.</returns>
    private static Amount Count(LogBatch batch, StreamSet streams, out int records)
    {
        long counted = 0;
        long bytes = 0;
        records = 0;
        foreach (ref readonly LogRecord record in batch.Records)
        {
            if (!streams.Has(record))
            {
                continue;
            }

            records++;
            if ((record.Flags & RecordFlags.Gap) != 0)
            {
                continue;
            }

            counted++;
            bytes += record.MessageLength;
        }

        return new(counted, bytes);
    }

    private readonly record struct Offer(int Records, long Bytes);
}
