//! What a built native log can show beside plain turns, each switched on by itself.

/// One thing that real transcripts or rollouts do. Those of turns and of damage show in the first
/// session of their agent; those of whole files add a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NativeCase {
    /// Claude: the rows of one response tell a growing output.
    GrowingOutput,
    /// Claude: a gateway that names no request.
    NoRequestId,
    /// Claude: a notice of the model `<synthetic>`.
    SyntheticNotice,
    /// Claude: a sub-agent in `agent-ID.jsonl` beside the transcript.
    AgentBeside,
    /// Claude: a sub-agent in `SESSION/subagents/agent-ID.jsonl`.
    AgentBelow,
    /// Claude: a sub-agent whose rows stand in the transcript itself.
    AgentInline,
    /// Claude: `agent_progress` rows that repeat the usage of a sub-agent's own file.
    AgentProgress,
    /// Claude: `agent_progress` rows of a sub-agent that has no file.
    AgentProgressAlone,
    /// Claude: a side question, whose file repeats the session's messages under other requests.
    SideQuestion,
    /// Claude: queued, taken from the queue, and then an ordinary prompt.
    QueuedThenPrompt,
    /// Claude: queued and removed: delivered in the turn, and told by nothing else.
    QueuedRemoved,
    /// Claude: queued, removed, and told by an attachment.
    QueuedAttachment,
    /// Claude: queued, and pulled back into the editor.
    QueuePopped,
    /// Claude: the notice of a background task, which travels through the queue.
    QueuedNotice,
    /// Claude: a slash command with its output.
    SlashCommand,
    /// Claude: rows with `isMeta`.
    MetaRows,
    /// Claude: `!` commands of the user's shell.
    ShellMode,
    /// Claude: messages of team mates, hooks and tasks in the user's name.
    Automation,
    /// Claude: a boundary and a summary within a turn.
    CompactSummary,
    /// Claude: interrupted while a tool runs.
    Interrupted,
    /// Claude: interrupted by refusing a tool.
    InterruptedTool,
    /// Claude: a prompt that goes back to an earlier row.
    Rewind,
    /// Claude: rows that keep state, most of them without a time.
    StateRows,
    /// Claude: a prompt of several blocks: text, image, what the editor adds.
    PromptBlocks,
    /// Claude: the prompt that approving a plan makes.
    PlanPrompt,
    /// Claude: cache writes that are kept for an hour.
    HourCache,
    /// Claude: a prompt before the turn's tool gave a result.
    Superseded,
    /// Claude: three tools at once, one of which fails.
    ParallelTools,
    /// Claude: a new session that starts with a copy of the first one's rows, as they are.
    ResumeCopied,
    /// Claude: the same, with the new session's id in the copies.
    ResumeRewritten,
    /// Claude: a new session whose first row is a child of the old one's last.
    ResumeLinked,
    /// Claude: the journal of a workflow, which is no transcript.
    WorkflowJournal,
    /// Claude: a transcript without a byte.
    EmptyFile,
    /// Codex: three calls at once, one of which fails.
    ParallelCalls,
    /// Codex: a custom tool, and the end of the patch that it applies.
    CustomTool,
    /// Codex: `local_shell_call`.
    LocalShell,
    /// Codex: a web search.
    WebSearch,
    /// Codex: an MCP tool and its end event.
    McpEnd,
    /// Codex: a call that never got a result, in a turn that ended.
    Unanswered,
    /// Codex: a second prompt within a turn.
    Steering,
    /// Codex: the same counts again.
    Reemitted,
    /// Codex: `info: null`.
    NullInfo,
    /// Codex: totals that start anew.
    TotalsRestart,
    /// Codex: the counts around a compaction, of which only the total is not 0.
    CompactCounts,
    /// Codex: the user interrupted the turn.
    TurnAborted,
    /// Codex: a turn that nothing ends before the next prompt.
    NoEnd,
    /// Codex: the other names of `task_started` and `task_complete`.
    TurnNames,
    /// Codex: a prompt with what an editor puts around it.
    EditorPrompt,
    /// Codex: messages of the program in the user's name.
    Injected,
    /// Codex: another model from here on.
    ModelSwitch,
    /// Codex: `session_meta` again, and rows of unknown kinds.
    MetaAgain,
    /// Codex: a fork; the rows that it repeats keep their times.
    ForkOriginalTimes,
    /// Codex: a fork; the rows that it repeats have the time of the fork.
    ForkBurst,
    /// Codex: a sub-agent with a rollout of its own.
    SubAgent,
    /// Codex: a sub-agent whose rollout starts with its parent's rows.
    SubAgentFork,
    /// Codex: a paginated thread: ordinals, and `item_completed` in place of events.
    Paginated,
    /// Codex: `token_usage_record`.
    UsageRecords,
    /// Codex: bare items of 2025 under a header, without times.
    BareItems,
    /// Codex: events without `task_started` and `task_complete`.
    NoTasks,
    /// Codex: a copy of an active rollout in `archived_sessions`.
    ArchivedCopy,
    /// Codex: a rollout that is only there compressed.
    Compressed,
    /// Codex: a rollout beside its compressed copy.
    CompressedTwin,
    /// Both: empty lines and lines of white space.
    BlankLines,
    /// Both: a line in the middle that was cut short.
    TornMiddle,
    /// Both: a last line that was cut short.
    TornTail,
    /// Both: a last line without a line end, in the last session.
    NoFinalNewline,
    /// Both: the last turn is still going on.
    OpenTurn,
}

use NativeCase as C;

impl NativeCase {
    /// Turns of Claude.
    pub const CLAUDE_TURNS: [Self; 28] = [
        C::GrowingOutput,
        C::NoRequestId,
        C::SyntheticNotice,
        C::AgentBeside,
        C::AgentBelow,
        C::AgentInline,
        C::AgentProgress,
        C::AgentProgressAlone,
        C::SideQuestion,
        C::QueuedThenPrompt,
        C::QueuedRemoved,
        C::QueuedAttachment,
        C::QueuePopped,
        C::QueuedNotice,
        C::SlashCommand,
        C::MetaRows,
        C::ShellMode,
        C::Automation,
        C::CompactSummary,
        C::Interrupted,
        C::InterruptedTool,
        C::Rewind,
        C::StateRows,
        C::PromptBlocks,
        C::PlanPrompt,
        C::HourCache,
        C::Superseded,
        C::ParallelTools,
    ];
    /// Files of Claude.
    pub const CLAUDE_FILES: [Self; 5] =
        [C::ResumeCopied, C::ResumeRewritten, C::ResumeLinked, C::WorkflowJournal, C::EmptyFile];
    /// Turns of Codex.
    pub const CODEX_TURNS: [Self; 18] = [
        C::ParallelCalls,
        C::CustomTool,
        C::LocalShell,
        C::WebSearch,
        C::McpEnd,
        C::Unanswered,
        C::Steering,
        C::Reemitted,
        C::NullInfo,
        C::TotalsRestart,
        C::CompactCounts,
        C::TurnAborted,
        C::NoEnd,
        C::TurnNames,
        C::EditorPrompt,
        C::Injected,
        C::ModelSwitch,
        C::MetaAgain,
    ];
    /// Files of Codex.
    pub const CODEX_FILES: [Self; 11] = [
        C::ForkOriginalTimes,
        C::ForkBurst,
        C::SubAgent,
        C::SubAgentFork,
        C::Paginated,
        C::UsageRecords,
        C::BareItems,
        C::NoTasks,
        C::ArchivedCopy,
        C::Compressed,
        C::CompressedTwin,
    ];
    /// Ends of turns and of files, of both agents.
    pub const DAMAGE: [Self; 5] =
        [C::BlankLines, C::TornMiddle, C::TornTail, C::NoFinalNewline, C::OpenTurn];

    /// All of them.
    pub fn all() -> Vec<Self> {
        let parts: [&[Self]; 5] = [
            &Self::CLAUDE_TURNS,
            &Self::CLAUDE_FILES,
            &Self::CODEX_TURNS,
            &Self::CODEX_FILES,
            &Self::DAMAGE,
        ];
        parts.concat()
    }
}
