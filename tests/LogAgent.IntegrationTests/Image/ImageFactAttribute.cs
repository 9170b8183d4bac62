using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Image;

/// <summary>A test of the image; it takes a publish, and is therefore run only where that is asked for.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ImageFactAttribute : FactAttribute
{
    public ImageFactAttribute()
    {
        Skip = Environment.GetEnvironmentVariable("LOGAGENT_TEST_IMAGE") == "1"
            ? Machine.WhyNot(Needs.Docker)
            : "it publishes the agent and builds an image, which takes minutes: only with LOGAGENT_TEST_IMAGE=1";
        if (Skip is null)
            Timeout = (int)TimeSpan.FromMinutes(15).TotalMilliseconds;
    }
}
