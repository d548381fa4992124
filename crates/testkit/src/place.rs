//! Where each fault shows: in a turn, in a session, or in the bytes of the finished file.

use crate::fault::Fault;

impl Fault {
    /// Every fault, in the order of their definition.
    pub const ALL: [Self; 96] = [
        Self::EnvelopeG0,
        Self::EnvelopeG1,
        Self::EnvelopeG2,
        Self::EnvelopeG3Prime,
        Self::EnvelopeG4,
        Self::ShuffledKeys,
        Self::SpacedJson,
        Self::EscapedOuter,
        Self::EscapedInner,
        Self::EscapedLetters,
        Self::MetadataObject,
        Self::PidText,
        Self::DataNoSpace,
        Self::LineObject,
        Self::ExtraKeys,
        Self::ShortInner,
        Self::MetadataBroken,
        Self::EmptySid,
        Self::FlowIdle,
        Self::NoTime,
        Self::UnknownEvent,
        Self::TruncatedInner,
        Self::NestedLog,
        Self::PromptAfterFollowers,
        Self::TaskStartedOldRound,
        Self::TailNewRound,
        Self::SharedRound,
        Self::RoundOffByOne,
        Self::RandomTurnId,
        Self::Steering,
        Self::LegacyPrompt,
        Self::LegacyPromptTwin,
        Self::PromptPayloadText,
        Self::PromptPayloadNested,
        Self::ForeignAgentId,
        Self::DoubledPrompt,
        Self::DoubledPromptNoUuid,
        Self::QueuedPrompt,
        Self::QueueDequeued,
        Self::QueuePopped,
        Self::Aborted,
        Self::AbortedUnanswered,
        Self::Superseded,
        Self::OpenTurn,
        Self::ShutdownInTurn,
        Self::MissingShutdown,
        Self::MissingIdle,
        Self::IdleFirst,
        Self::MissingStop,
        Self::SubAgent,
        Self::Resume,
        Self::TwoConversations,
        Self::ForkReusedIds,
        Self::DstChange,
        Self::NoResults,
        Self::ScrambledTies,
        Self::TwinsOnly,
        Self::SeveralParts,
        Self::RepeatedDelta,
        Self::NoDeltas,
        Self::DeltaMismatch,
        Self::DeltaOrphan,
        Self::DoubledMessageStart,
        Self::WrongFlowId,
        Self::AbandonedFlow,
        Self::NoArgTool,
        Self::TokenReset,
        Self::TokenRestored,
        Self::TokenDuplicate,
        Self::TokenOverflow,
        Self::BadArgs,
        Self::ArgsMismatch,
        Self::LateDelta,
        Self::DuplicateCall,
        Self::MissingOutput,
        Self::DuplicateOutput,
        Self::OrphanOutput,
        Self::EndWithoutBegin,
        Self::NeverEnded,
        Self::OutOfOrder,
        Self::ExitMismatch,
        Self::TornRow,
        Self::TwoWriters,
        Self::PartialTail,
        Self::NoFinalNewline,
        Self::Crlf,
        Self::Bom,
        Self::InvalidUtf8,
        Self::NulBytes,
        Self::NotJson,
        Self::NotAnObject,
        Self::NoKnownKeys,
        Self::BlankLines,
        Self::SseFraming,
        Self::Disorder,
        Self::LateRows,
    ];

    /// Whether it can only show in a turn with a tool call.
    pub(crate) fn needs_call(self) -> bool {
        NEED_CALL.contains(&self)
    }

    /// Where the fault shows.
    pub(crate) fn place(self) -> Place {
        let tables: [(&[Self], Place); 4] = [
            (&CODEX_TURN, Place::CodexTurn),
            (&CLAUDE_TURN, Place::ClaudeTurn),
            (&ANY_TURN, Place::AnyTurn),
            (&SESSION, Place::Session),
        ];
        let found = tables.iter().find(|(faults, _)| faults.contains(&self));
        found.map_or(Place::File, |&(_, place)| place)
    }
}

/// The turns that the faults add to a session: one each, and an ordinary one after a turn that
/// ends only by its successor.
pub(crate) fn turns_of(faults: &[Fault]) -> impl Iterator<Item = Option<Fault>> {
    let of_turns = faults.iter().filter(|fault| fault.place() != Place::Session);
    of_turns.flat_map(|&fault| {
        let next = (fault == Fault::Superseded).then_some(None);
        std::iter::once(Some(fault)).chain(next)
    })
}

/// What a fault adds to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A turn of the first Codex session.
    CodexTurn,
    /// A turn of the first Claude session.
    ClaudeTurn,
    /// A turn of the first session of each provider.
    AnyTurn,
    /// A session, or its end.
    Session,
    /// Bytes of the finished files.
    File,
}

const CODEX_TURN: [Fault; 39] = [
    Fault::EnvelopeG4,
    Fault::MetadataBroken,
    Fault::NoTime,
    Fault::TruncatedInner,
    Fault::NestedLog,
    Fault::PromptAfterFollowers,
    Fault::TaskStartedOldRound,
    Fault::TailNewRound,
    Fault::SharedRound,
    Fault::RandomTurnId,
    Fault::Steering,
    Fault::LegacyPrompt,
    Fault::LegacyPromptTwin,
    Fault::PromptPayloadText,
    Fault::PromptPayloadNested,
    Fault::ForeignAgentId,
    Fault::Aborted,
    Fault::AbortedUnanswered,
    Fault::MissingIdle,
    Fault::IdleFirst,
    Fault::Resume,
    Fault::ScrambledTies,
    Fault::TwinsOnly,
    Fault::SeveralParts,
    Fault::RepeatedDelta,
    Fault::NoDeltas,
    Fault::DeltaMismatch,
    Fault::TokenReset,
    Fault::TokenRestored,
    Fault::TokenDuplicate,
    Fault::TokenOverflow,
    Fault::ArgsMismatch,
    Fault::LateDelta,
    Fault::DuplicateCall,
    Fault::OrphanOutput,
    Fault::EndWithoutBegin,
    Fault::NeverEnded,
    Fault::OutOfOrder,
    Fault::ExitMismatch,
];

const CLAUDE_TURN: [Fault; 18] = [
    Fault::EnvelopeG0,
    Fault::EnvelopeG1,
    Fault::EnvelopeG3Prime,
    Fault::ShortInner,
    Fault::FlowIdle,
    Fault::RoundOffByOne,
    Fault::DoubledPrompt,
    Fault::DoubledPromptNoUuid,
    Fault::QueuedPrompt,
    Fault::QueueDequeued,
    Fault::QueuePopped,
    Fault::MissingStop,
    Fault::SubAgent,
    Fault::DeltaOrphan,
    Fault::DoubledMessageStart,
    Fault::WrongFlowId,
    Fault::AbandonedFlow,
    Fault::NoArgTool,
];

const ANY_TURN: [Fault; 20] = [
    Fault::EnvelopeG2,
    Fault::ShuffledKeys,
    Fault::SpacedJson,
    Fault::EscapedOuter,
    Fault::EscapedInner,
    Fault::EscapedLetters,
    Fault::MetadataObject,
    Fault::PidText,
    Fault::DataNoSpace,
    Fault::LineObject,
    Fault::ExtraKeys,
    Fault::EmptySid,
    Fault::UnknownEvent,
    Fault::Superseded,
    Fault::OpenTurn,
    Fault::ShutdownInTurn,
    Fault::DstChange,
    Fault::BadArgs,
    Fault::MissingOutput,
    Fault::DuplicateOutput,
];

const SESSION: [Fault; 4] =
    [Fault::MissingShutdown, Fault::TwoConversations, Fault::ForkReusedIds, Fault::NoResults];

const NEED_CALL: [Fault; 17] = [
    Fault::Steering,
    Fault::QueuedPrompt,
    Fault::QueuePopped,
    Fault::NestedLog,
    Fault::NoDeltas,
    Fault::NoArgTool,
    Fault::BadArgs,
    Fault::ArgsMismatch,
    Fault::LateDelta,
    Fault::DuplicateCall,
    Fault::MissingOutput,
    Fault::DuplicateOutput,
    Fault::OrphanOutput,
    Fault::EndWithoutBegin,
    Fault::NeverEnded,
    Fault::OutOfOrder,
    Fault::ExitMismatch,
];
