namespace LogAgent.Tests.Support;

/// <summary>What the server does to a whole bulk request.</summary>
public enum BulkFault
{
    None,
    Status400,
    Status401,
    Status403,
    Status413,
    Status429,
    Status500,
    Status503,

    /// <summary>Reads the body, stores nothing, cuts the connection.</summary>
    CutBefore,

    /// <summary>Stores the documents, then cuts the connection: the sender cannot know.</summary>
    CutAfter,

    /// <summary>Stores the documents and sends half of the answer.</summary>
    HalfAnswer,

    /// <summary>Never answers.</summary>
    Hang,

    /// <summary>200 with something that is no answer of Elasticsearch.</summary>
    Garbage,

    /// <summary>200 with an answer for one item too few.</summary>
    WrongCount,
}
