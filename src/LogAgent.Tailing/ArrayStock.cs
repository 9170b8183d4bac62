using System.Numerics;

namespace LogAgent.Tailing;

/// <summary>
/// Arrays of the tail loop's batches, used again. The shared pool will not do: it keeps few arrays of one size, and those of a
/// batch are rented on one thread and given back on another. Sizes are powers of two, 16 at least. What is held is bounded by
/// what was in use at once, and so by the memory budget; <see cref="Trim"/> lets go of what was not needed for some time: soon
/// enough to be small when nothing is written, late enough that a load that comes and goes makes no garbage. Thread-safe.
/// </summary>
internal sealed class ArrayStock<T>
    where T : unmanaged
{
    private const int Smallest = 4; // log2 of 16
    private const int Patience = 10; // calls of Trim

    private readonly Lock _gate = new();
    private readonly Stack<T[]>[] _idle = [.. Enumerable.Range(Smallest, 31 - Smallest).Select(_ => new Stack<T[]>())];
    private readonly int[] _fewest = new int[31 - Smallest];
    private int _calls;

    public static ArrayStock<T> Shared { get; } = new();

    /// <summary>An array of at least this length. Its content is whatever was in it.</summary>
    public T[] Rent(int length)
    {
        int size = Size(length);
        lock (_gate)
        {
            if (_idle[size].TryPop(out T[]? array))
            {
                _fewest[size] = Math.Min(_fewest[size], _idle[size].Count);
                return array;
            }
        }

        return GC.AllocateUninitializedArray<T>(1 << (size + Smallest));
    }

    /// <summary>Takes an array that nobody uses any more. One of another length than this stock gives is left to the garbage collector.</summary>
    public void Return(T[] array)
    {
        int size = Size(array.Length);
        if (array.Length != 1 << (size + Smallest))
        {
            return;
        }

        lock (_gate)
        {
            _idle[size].Push(array);
        }
    }

    /// <summary>To be called about once a second: lets go of the arrays that have lain here for ten calls or more.</summary>
    public void Trim()
    {
        lock (_gate)
        {
            if (++_calls < Patience)
            {
                return;
            }

            _calls = 0;
            for (int size = 0; size < _idle.Length; size++)
            {
                for (int i = Math.Min(_fewest[size], _idle[size].Count); i > 0; i--)
                {
                    _idle[size].Pop();
                }

                _fewest[size] = _idle[size].Count;
            }
        }
    }

    private static int Size(int length) => Math.Max(BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Max(length, 1))) - Smallest, 0);
}
