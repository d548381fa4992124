//! How captured requests may be written, and what may stand among them, each switched on by itself.

/// One thing that real files of requests do. The first ones change how all files are written, the
/// others add a file to the first session of each agent that has such files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaptureCase {
    /// The body is logged as text.
    BodyAsText,
    /// Headers are pairs where they are an object otherwise, and the other way round.
    HeadersOtherwise,
    /// The document is printed over many lines.
    Pretty,
    /// The body stands before all other keys.
    BodyFirst,
    /// Times are those of a wall clock seven hours ahead of UTC, and do not say so.
    LocalTimes,
    /// Documents tell no time; the names of their files do.
    TimeInName,
    /// The session stands only in a header, and the file is named `unknown__…`.
    SessionInHeader,
    /// The session stands only in the body: in `metadata.user_id`, or as `prompt_cache_key`.
    SessionInBody,
    /// The same, with JSON in `user_id`.
    SessionInUserJson,
    /// Nothing tells the session.
    NoSession,
    /// Claude: how many tokens a message would have.
    CountTokens,
    /// Codex: the request that compacts a conversation.
    Compact,
    /// Codex: a request in the older form.
    ChatCompletions,
    /// Both: a request to another host.
    Telemetry,
    /// Both: a request with a body that is no JSON.
    FormBody,
    /// Both: a request without a body.
    NoBody,
    /// Both: a request of more than a megabyte.
    Large,
    /// Both: a request that was cut short.
    CutShort,
    /// Both: a file without a byte.
    Empty,
    /// Both: a file with something else in it.
    NotJson,
    /// Both: JSON that is no request.
    NoRequest,
}

impl CaptureCase {
    /// Those that change how all requests are spelled, but not what they say.
    pub const SPELLINGS: [Self; 4] =
        [Self::BodyAsText, Self::HeadersOtherwise, Self::Pretty, Self::BodyFirst];

    /// Those that change where the session is told, or whether it is.
    pub const SESSIONS: [Self; 4] =
        [Self::SessionInHeader, Self::SessionInBody, Self::SessionInUserJson, Self::NoSession];

    /// Those that change where the time is told.
    pub const TIMES: [Self; 2] = [Self::LocalTimes, Self::TimeInName];

    /// Those that add requests.
    pub const REQUESTS: [Self; 7] = [
        Self::CountTokens,
        Self::Compact,
        Self::ChatCompletions,
        Self::Telemetry,
        Self::FormBody,
        Self::NoBody,
        Self::Large,
    ];

    /// Those that add files that cannot be read.
    pub const FAULTS: [Self; 4] = [Self::CutShort, Self::Empty, Self::NotJson, Self::NoRequest];

    /// All of them.
    pub fn all() -> Vec<Self> {
        let parts: [&[Self]; 5] =
            [&Self::SPELLINGS, &Self::SESSIONS, &Self::TIMES, &Self::REQUESTS, &Self::FAULTS];
        parts.concat()
    }
}
