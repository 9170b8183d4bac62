namespace LogAgent.Tests.Outputs.Contract;

/// <summary>What the other end of an output does in place of taking records.</summary>
public enum OutputFault
{
    /// <summary>It takes some records of a group and refuses others for now.</summary>
    Partial,

    /// <summary>It takes no record above a length.</summary>
    TooLarge,

    /// <summary>It answers with what makes no sense.</summary>
    Garbage,

    /// <summary>It takes what is sent and says nothing, or stops taking.</summary>
    Hang,

    /// <summary>It cuts the connection, or is not there.</summary>
    Reset,

    /// <summary>It takes everything, and takes its time.</summary>
    Slow,
}
