namespace LogAgent.Tests.Packaging;

/// <summary>A test that needs a program of the machine, and is skipped, saying so, where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ToolFactAttribute : FactAttribute
{
    public ToolFactAttribute(params string[] tools)
    {
        string[] missing = [.. tools.Where(tool => !Tool.IsInstalled(tool))];
        if (missing.Length > 0)
            Skip = "needs " + string.Join(", ", missing) + ", which this machine does not have";
    }
}
