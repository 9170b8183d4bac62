using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

public class ArrayStockTests
{
    private const int CallsOfPatience = 10;

    [Fact]
    public void An_array_that_was_given_back_is_used_again_for_any_length_of_its_size()
    {
        ArrayStock<byte> stock = new();
        byte[] first = stock.Rent(1000);
        Assert.Equal(1024, first.Length);
        stock.Return(first);
        Assert.Same(first, stock.Rent(513));
        Assert.NotSame(first, stock.Rent(513));
    }

    [Fact]
    public void What_was_not_needed_for_ten_calls_is_let_go_and_what_was_needed_stays()
    {
        ArrayStock<byte> stock = new();
        byte[][] arrays = [stock.Rent(100), stock.Rent(100), stock.Rent(100)];
        Array.ForEach(arrays, stock.Return);
        Trim(stock); // from here on it is seen how many are needed: two at a time
        for (int call = 0; call < CallsOfPatience; call++)
        {
            byte[][] needed = [stock.Rent(100), stock.Rent(100)];
            Array.ForEach(needed, stock.Return);
            Assert.All(needed, array => Assert.True(IsOneOf(arrays, array)));
            stock.Trim();
        }

        Assert.True(IsOneOf(arrays, stock.Rent(100)));
        Assert.True(IsOneOf(arrays, stock.Rent(100)));
        Assert.False(IsOneOf(arrays, stock.Rent(100)));
    }

    private static bool IsOneOf(byte[][] arrays, byte[] array) => Array.Exists(arrays, one => ReferenceEquals(one, array));

    private static void Trim(ArrayStock<byte> stock)
    {
        for (int call = 0; call < CallsOfPatience; call++)
        {
            stock.Trim();
        }
    }
}
