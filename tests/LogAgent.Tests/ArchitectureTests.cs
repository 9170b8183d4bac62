using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace LogAgent.Tests;

/// <summary>The rooms of the house and the arrows between them, by the using lines and full names of the sources.</summary>
public partial class ArchitectureTests
{
    private static readonly string Root = FindRoot();

    /// <summary>Room to the rooms that it may use besides itself and LogAgent.Tailing. "" holds the files directly in src/LogAgent.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        [""] = ["*"],
        ["Operations"] = ["*"],
        ["Configuration"] = ["Outputs"],
        ["Containers"] = ["Enrichment", "Configuration"],
        ["Enrichment"] = ["Configuration", "Outputs"],
        ["Shaping"] = ["Configuration"],
        ["Delivery"] = ["Configuration", "Outputs"],
        ["Outputs"] = ["Delivery", "Configuration"],
        ["Outputs/Console"] = ["Outputs", "Delivery", "Configuration"],
        ["Outputs/Elasticsearch"] = ["Outputs", "Delivery", "Configuration"],
        ["Outputs/File"] = ["Outputs", "Delivery", "Configuration"],
        ["Outputs/Kafka"] = ["Outputs", "Delivery", "Configuration"],
        ["Outputs/Syslog"] = ["Outputs", "Delivery", "Configuration"],
    };

    /// <summary>Files that wait to be split; none is to join them.</summary>
    private static readonly string[] StillTooLong =
        ["SliceReader.cs"];

    [Fact]
    public void The_tests_see_every_room_and_know_each_of_them()
    {
        string daemon = Path.Combine(Root, "src", "LogAgent");
        string[] folders = [.. Sources("src/LogAgent").Select(path => Room(path)).Distinct()];
        Assert.All(["", "Operations", "Configuration", "Delivery", "Outputs"], room => Assert.Contains(room, folders));
        Assert.All(folders, room => Assert.True(Arrows.ContainsKey(room), $"src/LogAgent/{room} is a room that no arrow is drawn for"));
        Assert.Contains("LogAgent.Configuration", Used(Path.Combine(daemon, "Operations", "CheckCommand.cs")));
        Assert.True(Sources("src/LogAgent.Tailing").Count() > 5);
    }

    [Fact]
    public void Each_room_uses_only_the_rooms_that_its_arrows_lead_to()
    {
        List<string> wrong = [];
        foreach (string path in Sources("src/LogAgent"))
        {
            string room = Room(path);
            string[] allowed = Arrows.GetValueOrDefault(room, []);
            foreach (string used in Used(path).Select(RoomOfName).OfType<string>())
            {
                if (used != room && !allowed.Contains(used) && !allowed.Contains("*"))
                {
                    wrong.Add($"{Path.GetRelativePath(Root, path)} uses {used}");
                }
            }
        }

        Assert.Empty(wrong.Distinct());
    }

    [Fact]
    public void The_tailing_library_knows_nothing_of_the_daemon_and_no_package()
    {
        Assert.DoesNotContain(Sources("src/LogAgent.Tailing"), path => Used(path).Any(name =>
            !name.StartsWith("System", StringComparison.Ordinal) && !name.StartsWith("LogAgent.Tailing", StringComparison.Ordinal) && !name.StartsWith("Microsoft.Win32.SafeHandles", StringComparison.Ordinal)));
        string project = File.ReadAllText(Path.Combine(Root, "src", "LogAgent.Tailing", "LogAgent.Tailing.csproj"));
        Assert.DoesNotContain("PackageReference", project, StringComparison.Ordinal);
        Assert.DoesNotContain("ProjectReference", project, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("YamlDotNet", "Configuration")]
    [InlineData("Confluent.Kafka", "Outputs/Kafka")]
    [InlineData("System.CommandLine", "Operations")]
    [InlineData("Serilog", "Operations")]
    public void A_package_stays_in_its_room(string package, string room) =>
        Assert.Empty(Sources("src").Where(path => Room(path) != room && Used(path).Any(name => name.StartsWith(package, StringComparison.Ordinal))).Select(path => Path.GetRelativePath(Root, path)));

    [Fact]
    public void No_file_is_longer_than_400_lines() =>
        Assert.Empty(Sources("src").Concat(Sources("tests")).Where(path => File.ReadLines(path).Count() > 400).Select(path => Path.GetFileName(path)).Except(StillTooLong));

    [Fact]
    public void A_file_is_named_after_a_type_in_it() =>
        Assert.Empty(Sources("src").Where(path => Path.GetFileName(path) != "Program.cs" && !NamesItsFile(path)).Select(path => Path.GetRelativePath(Root, path)));

    [Fact]
    public void Types_are_named_with_the_words_of_the_house() =>
        Assert.DoesNotContain(Sources("src"), path => BannedWord().IsMatch(Path.GetFileNameWithoutExtension(path)));

    private static bool NamesItsFile(string path)
    {
        string name = Path.GetFileNameWithoutExtension(path).Split('.')[0];
        return Regex.IsMatch(File.ReadAllText(path), $@"\b(class|struct|record|interface|enum|delegate)\b[^;{{]*\b{name}\b");
    }

    private static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal));

    private static string Room(string path)
    {
        string relative = Path.GetRelativePath(Path.Combine(Root, "src", "LogAgent"), Path.GetDirectoryName(path)!).Replace('\\', '/');
        return relative == "." ? "" : relative;
    }

    private static List<string> Used(string path) => [.. UsedName().Matches(File.ReadAllText(path)).Select(match => match.Groups[1].Success ? match.Groups[1].Value : match.Groups[2].Value)];

    /// <summary>The room that a namespace is, or null where it is none of the daemon's.</summary>
    private static string? RoomOfName(string name) =>
        !name.StartsWith("LogAgent.", StringComparison.Ordinal) || name.StartsWith("LogAgent.Tailing", StringComparison.Ordinal)
            ? null
            : Arrows.Keys.Where(room => room.Length > 0 && ("/" + name.Replace('.', '/') + "/").Contains("/LogAgent/" + room + "/", StringComparison.Ordinal)).MaxBy(room => room.Length);

    private static string FindRoot([CallerFilePath] string here = "")
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "LogAgent.sln")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));
    }

    /// <summary>The name in a using line, or a full name of the project in the code.</summary>
    [GeneratedRegex(@"^\s*(?:global )?using (?:static )?(?:\w+ = )?([\w.]+)\s*;|(?<!namespace )(?<![\w.""/])(LogAgent(?:\.\w+)+)", RegexOptions.Multiline)]
    private static partial Regex UsedName();

    [GeneratedRegex("Harvester|Registry|Bookmark|Cursor|Processor|Manager|Helper|Utils?$|Common")]
    private static partial Regex BannedWord();
}
