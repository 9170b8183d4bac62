using LogAgent.Configuration;

namespace LogAgent.Outputs;

/// <summary>How the console shows records.</summary>
internal enum ConsoleFormat
{
    /// <summary>One readable line a record.</summary>
    Text,

    /// <summary>One JSON document a line.</summary>
    Json,
}

/// <summary>When the console uses colours.</summary>
internal enum ConsoleColour
{
    /// <summary>On a terminal, unless the environment has NO_COLOR.</summary>
    Auto,
    Always,
    Never,
}

/// <summary>An output of type console: <c>format</c> and <c>color</c>.</summary>
internal sealed record ConsoleOptions
{
    public ConsoleFormat Format { get; init; }

    public ConsoleColour Colour { get; init; }

    public static ConsoleOptions Read(SectionReader section) => new()
    {
        Format = section.OneOf("format", ConsoleFormat.Text),
        Colour = section.OneOf("color", ConsoleColour.Auto),
    };
}
