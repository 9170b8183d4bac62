using LogAgent.Tailing;

namespace LogAgent.Tests;

public class MemoryBudgetTests
{
    [Fact]
    public void What_does_not_fit_is_refused_until_something_is_given_back()
    {
        MemoryBudget budget = new(100);
        Assert.True(budget.TryTake(60));
        Assert.False(budget.TryTake(41));
        budget.Release(60);
        Assert.True(budget.TryTake(41));
    }

    [Fact]
    public void A_single_request_above_the_limit_is_granted_when_nothing_else_is_in_use()
    {
        MemoryBudget budget = new(100);
        Assert.True(budget.TryTake(500));
        Assert.False(budget.TryTake(1));
    }

    [Fact]
    public void What_an_output_holds_for_itself_is_not_there_for_records()
    {
        MemoryBudget budget = new(100);
        budget.Reserve(40);
        Assert.True(budget.TryTake(60));
        Assert.False(budget.TryTake(1));
        budget.Reserve(-40);
        Assert.True(budget.TryTake(40));
        Assert.Equal((100, 100, 0), (budget.Total, budget.Used, budget.Reserved));
    }
}
