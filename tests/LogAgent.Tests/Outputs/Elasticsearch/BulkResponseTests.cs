using System.Text;
using LogAgent.Delivery;
using LogAgent.Outputs.Elasticsearch;

namespace LogAgent.Tests.Outputs.Elasticsearch;

public class BulkResponseTests
{
    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"errors":false,"items":[{"create":{"status":20""")]
    [InlineData("""{"errors":true}""")]
    [InlineData("""{"errors":true,"items":[]}""")]
    [InlineData("""{"errors":true,"items":[{"create":{"status":429}},{"create":{"status":429}}]}""")]
    [InlineData("""{"errors":true,"items":[{"create":{}}]}""")]
    [InlineData("""{"errors":true,"items":[429]}""")]
    [InlineData("""{"errors":true,"items":[{"create":{"status":"429"}}]}""")]
    [InlineData("""{"errors":"yes","items":[{"create":{"status":429}}]}""")]
    public void What_is_no_answer_to_the_request_tells_nothing_of_its_items(string answer) =>
        Assert.False(BulkResponse.TryRead(Encoding.UTF8.GetBytes(answer), 1, out _, out _));

    [Theory]
    [InlineData("""{"errors":false}""")]
    [InlineData("""{"took":3,"errors":false,"items":[{"create":{"status":201}}]}""")]
    [InlineData("{\"errors\":false,\"items\":[]}\n")]
    public void Without_errors_all_is_delivered(string answer)
    {
        Assert.True(BulkResponse.TryRead(Encoding.UTF8.GetBytes(answer), 1, out SendResult result, out _));
        Assert.Same(SendResult.Delivered, result);
    }

    [Fact]
    public void Members_that_nobody_asked_for_are_passed_over()
    {
        const string Answer = """{"took":1,"errors":true,"x":{"y":[1]},"items":[{"create":{"_index":"i","_shards":{"total":1},"status":400,"error":{"caused_by":{"type":"inner"},"type":"t","reason":"r"},"z":1}}]}""";
        Assert.True(BulkResponse.TryRead(Encoding.UTF8.GetBytes(Answer), 1, out SendResult result, out _));
        Assert.Equal([new RejectedRecord(0, "t", "r")], result.Rejected);
    }

    [Fact]
    public void An_error_without_words_is_named_by_its_status()
    {
        Assert.True(BulkResponse.TryRead("""{"errors":true,"items":[{"create":{"status":400}},{"create":{"status":400,"error":"old style"}}]}"""u8, 2, out SendResult result, out _));
        Assert.Equal([new(0, "status_400", "status 400"), new(1, "error", "old style")], result.Rejected);
    }
}
