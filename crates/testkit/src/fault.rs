//! Everything that goes wrong in real logs, one switch each.
//! A fault adds its own turn, session or bytes to a log and leaves the rest as it was.

/// A fault. Those of a turn add a turn to the first session of each provider that knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    // Spellings: a turn written so.
    /// Claude: two rows an event, no `event` key, top-level `pid` (a string) and `cwd`.
    EnvelopeG0,
    /// Claude: top-level `pid` and `cwd`, no metadata, no round.
    EnvelopeG1,
    /// Rows without `round`.
    EnvelopeG2,
    /// Claude: `round` before `metadata`.
    EnvelopeG3Prime,
    /// Codex: rows with `released`.
    EnvelopeG4,
    /// The envelope's keys in any order.
    ShuffledKeys,
    /// `"event": "x"` with spaces.
    SpacedJson,
    /// Non-ASCII text as `\uXXXX` in the envelope.
    EscapedOuter,
    /// Non-ASCII text as `\uXXXX` in the inner JSON.
    EscapedInner,
    /// Some ASCII letters of inner texts as `\uXXXX` too.
    EscapedLetters,
    /// `metadata` is an object.
    MetadataObject,
    /// The pid is a string of digits.
    PidText,
    /// `data:{` without the space.
    DataNoSpace,
    /// `line` is an object.
    LineObject,
    /// Keys of the envelope and of the metadata that nobody knows.
    ExtraKeys,
    /// Claude: inner JSON without `timestamp` and `event_msg`.
    ShortInner,

    // Odd rows in a turn.
    /// Codex: a row whose metadata is not JSON.
    MetadataBroken,
    /// A row with an empty `sid`.
    EmptySid,
    /// Claude: the prompt's row has flow `idle`.
    FlowIdle,
    /// Codex: the prompt's row has no `t`.
    NoTime,
    /// An event that nobody knows.
    UnknownEvent,
    /// Codex: inner JSON cut short by the writer, with its notice.
    TruncatedInner,
    /// Codex: a command's output that holds a log of its own (see `LogBuilder::giant_bytes`).
    NestedLog,

    // Prompts, rounds, turns.
    /// Codex: the prompt's row lands after its followers of the same instant.
    PromptAfterFollowers,
    /// Codex: `turn.task_started` carries the round before.
    TaskStartedOldRound,
    /// Codex: a row of the turn before carries the new round.
    TailNewRound,
    /// Codex: the prompt keeps the round of the turn before.
    SharedRound,
    /// Claude: the prompt carries the round of the prompt before.
    RoundOffByOne,
    /// Codex: the prompt's `turn_id` is a random UUID.
    RandomTurnId,
    /// Codex: a further prompt with the open turn's `turn_id`.
    Steering,
    /// Codex: `codex.user_prompt` and no `turn.user_message`.
    LegacyPrompt,
    /// Codex: `codex.user_prompt` 300 ms before and 500 ms after the `turn.user_message`.
    LegacyPromptTwin,
    /// Codex: the prompt's payload is a string.
    PromptPayloadText,
    /// Codex: the prompt's payload is `{"message":{"content":…}}`.
    PromptPayloadNested,
    /// Codex: the user's own text ends with another session's agent-id line.
    ForeignAgentId,
    /// Claude: the prompt's row twice, with one `message_uuid`.
    DoubledPrompt,
    /// Claude: the prompt's row twice within 500 ms, without `message_uuid`.
    DoubledPromptNoUuid,
    /// Claude: typed while the agent worked, delivered inside the turn.
    QueuedPrompt,
    /// Claude: queued, then delivered as the next ordinary prompt.
    QueueDequeued,
    /// Claude: two queued prompts taken back into the editor.
    QueuePopped,
    /// Codex: the turn is interrupted in its text.
    Aborted,
    /// Codex: the turn is interrupted while a call waits for its answer.
    AbortedUnanswered,
    /// The turn never ends, the next prompt follows.
    Superseded,
    /// The log ends inside the session's last turn.
    OpenTurn,
    /// The session is shut down inside a turn; later turns are of a new process.
    ShutdownInTurn,
    /// The session ends without `turn.shutdown_complete` or `claude.session_end`.
    MissingShutdown,
    /// Codex: no `codex.idle` after the turn.
    MissingIdle,
    /// Codex: `codex.idle` stands before the turn's end, of the same instant.
    IdleFirst,
    /// Claude: only `claude.turn_end`, no `claude.stop`.
    MissingStop,
    /// Claude: a sub-agent's request inside the turn, with its own `claude.turn_end`.
    SubAgent,

    // Processes and sessions.
    /// Codex: resumed in a new process, old messages inside `turn.session_configured`.
    Resume,
    /// Codex: a second session in the same process, interleaved with the first.
    TwoConversations,
    /// Codex: a session forked from the first, which uses one of its call ids again.
    ForkReusedIds,
    /// The writer's offset loses an hour: Codex in a new process, Claude within one.
    DstChange,
    /// Claude: a session whose writer logged no tool results.
    NoResults,

    // Streams.
    /// Codex: deltas of one instant in scrambled order.
    ScrambledTies,
    /// Codex: only the `turn.*` twins of a stream.
    TwinsOnly,
    /// Codex: a text of two parts and a reasoning summary of three.
    SeveralParts,
    /// Codex: a delta's row twice, with one sequence number.
    RepeatedDelta,
    /// Codex: a call whose arguments were not streamed.
    NoDeltas,
    /// Codex: a delta of a text is lost, so that it differs from its done row.
    DeltaMismatch,
    /// Claude: a text block whose start row is lost.
    DeltaOrphan,
    /// Claude: `message_start` twice.
    DoubledMessageStart,
    /// Claude: two overlapping requests; the first one's last deltas name the second one's flow.
    WrongFlowId,
    /// Claude: a request that stops in the middle of its text.
    AbandonedFlow,
    /// Claude: a tool without arguments, whose only delta is empty.
    NoArgTool,

    // Tokens (Codex).
    /// The totals restart within a process.
    TokenReset,
    /// A new process goes on with the totals of the old one.
    TokenRestored,
    /// The same totals are said again.
    TokenDuplicate,
    /// The row of a context overflow: parts 0, total the window.
    TokenOverflow,

    // Calls.
    /// Arguments that are not whole JSON.
    BadArgs,
    /// Codex: the final arguments differ from the streamed ones.
    ArgsMismatch,
    /// Codex: a delta of the arguments 200 ms after the item's end.
    LateDelta,
    /// Codex: the call's item twice.
    DuplicateCall,
    /// No result although the turn ends normally.
    MissingOutput,
    /// The result twice.
    DuplicateOutput,
    /// Codex: a result of a call that nobody made.
    OrphanOutput,
    /// Codex: `turn.exec.end` without its begin.
    EndWithoutBegin,
    /// Codex: `turn.exec.begin` without its end.
    NeverEnded,
    /// Codex: the result 500 ms before the end of the execution.
    OutOfOrder,
    /// Codex: the end says exit code 1, the result says 0.
    ExitMismatch,

    // Bytes, in both files.
    /// A row cut in its middle, then a line end.
    TornRow,
    /// A row cut in its middle, directly followed by a whole prompt row.
    TwoWriters,
    /// The last line is the first half of a row.
    PartialTail,
    /// The last row has no line end.
    NoFinalNewline,
    /// Lines end with CR LF.
    Crlf,
    /// The file starts with a UTF-8 byte order mark.
    Bom,
    /// A row that is not UTF-8.
    InvalidUtf8,
    /// NUL bytes directly before a whole row.
    NulBytes,
    /// A line that is not JSON.
    NotJson,
    /// A line that is JSON, but no object.
    NotAnObject,
    /// An object with none of the envelope's keys.
    NoKnownKeys,
    /// An empty line and one of spaces.
    BlankLines,
    /// Rows of a proxy: `event:` and `data:` apart, comments, `data: [DONE]`, no `event` key.
    SseFraming,
    /// Codex: one row in fifty up to 3 s late in the file.
    Disorder,
    /// Rows 20 s late in the file, beyond any reorder window.
    LateRows,
}
