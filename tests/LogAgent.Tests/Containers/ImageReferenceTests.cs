using LogAgent.Containers;

namespace LogAgent.Tests.Containers;

public class ImageReferenceTests
{
    [Theory]
    [InlineData("nginx", "nginx", "latest")]
    [InlineData("nginx:1.27", "nginx", "1.27")]
    [InlineData("registry:5000/team/app", "registry:5000/team/app", "latest")]
    [InlineData("registry:5000/team/app:1.2@sha256:0123", "registry:5000/team/app", "1.2")]
    [InlineData("team/app@sha256:0123", "team/app", "latest")]
    [InlineData("sha256:0123", "sha256:0123", "")]
    [InlineData("", "", "latest")]
    public void A_reference_is_parted_as_Docker_does_it(string reference, string name, string tag)
    {
        Assert.Equal(new ImageReference(name, tag), ImageReference.Parse(reference));
    }

    [Fact]
    public void A_short_id_is_known_by_the_image_that_it_begins()
    {
        Assert.True(ImageReference.IsShortIdOf("0123456789ab", "sha256:0123456789abcdef"));
        Assert.False(ImageReference.IsShortIdOf("deadbeef", "sha256:0123456789abcdef"));
        Assert.False(ImageReference.IsShortIdOf("nginx", "sha256:0123456789abcdef"));
    }
}
