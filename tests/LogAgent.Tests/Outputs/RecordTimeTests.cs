using System.Text;
using LogAgent.Outputs;

namespace LogAgent.Tests.Outputs;

public class RecordTimeTests
{
    [Theory]
    [InlineData(0, "1970-01-01T00:00:00.000000000Z")]
    [InlineData(1, "1970-01-01T00:00:00.000000001Z")]
    [InlineData(-1, "1969-12-31T23:59:59.999999999Z")]
    [InlineData(1_795_293_346_685_148_284, "2026-11-21T20:35:46.685148284Z")]
    [InlineData(951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z")]
    [InlineData(long.MaxValue, "2262-04-11T23:47:16.854775807Z")]
    [InlineData(long.MinValue, "1677-09-21T00:12:43.145224192Z")]
    public void A_time_keeps_its_nanoseconds(long nanos, string expected)
    {
        byte[] text = new byte[RecordTime.Length];
        Assert.Equal(RecordTime.Length, RecordTime.Write(text, nanos));
        Assert.Equal(expected, Encoding.ASCII.GetString(text));
    }

    [Theory]
    [InlineData(UtcDay.Nanos - 1, 1970, 1, 1)]
    [InlineData(UtcDay.Nanos, 1970, 1, 2)]
    [InlineData(-1, 1969, 12, 31)]
    [InlineData(-UtcDay.Nanos, 1969, 12, 31)]
    public void A_day_begins_at_midnight_utc(long nanos, int year, int month, int day) =>
        Assert.Equal(new DateOnly(year, month, day), UtcDay.Of(nanos).ToDate());
}
