using System.Text;
using LogAgent.Outputs;

namespace LogAgent.Tests.Outputs;

public class JsonUnescaperTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain ä", "plain ä")]
    [InlineData(@"\""\\\/\b\f\n\r\t", "\"\\/\b\f\n\r\t")]
    [InlineData(@"\u003ca\u003e\u0026 \u00e4 \u20AC", "<a>& ä €")]
    [InlineData(@"x\ud83d\ude00y", "x😀y")]
    [InlineData(@"x\ud83dy", "x\uFFFDy")]
    [InlineData(@"x\ude00\ud83d", "x\uFFFD\uFFFD")]
    [InlineData(@"\ud83d\u0041", "\uFFFDA")]
    [InlineData(@"\\u0041", @"\u0041")]
    [InlineData(@"\q\u12", @"\q\u12")]
    [InlineData(@"end\", @"end\")]
    public void Escapes_become_the_bytes_they_stand_for(string escaped, string expected)
    {
        using ByteBuffer buffer = new(1);
        JsonUnescaper.Write(Encoding.UTF8.GetBytes(escaped), buffer);
        Assert.Equal(expected, Encoding.UTF8.GetString(buffer.Written));
    }

    [Fact]
    public void Unescaping_allocates_nothing()
    {
        byte[] escaped = Encoding.UTF8.GetBytes(@"x\ud83d\ude00y\n\u003c");
        using ByteBuffer buffer = new(256);
        JsonUnescaper.Write(escaped, buffer);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            buffer.Clear();
            JsonUnescaper.Write(escaped, buffer);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
