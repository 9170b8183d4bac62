using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Image;

/// <summary>A test of the image, which is made by the first of them.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ImageFactAttribute : FactAttribute
{
    public ImageFactAttribute()
    {
        Skip = Machine.WhyNot(Needs.Docker);
        if (Skip is null)
        {
            Timeout = (int)TimeSpan.FromMinutes(15).TotalMilliseconds;
        }
    }
}
