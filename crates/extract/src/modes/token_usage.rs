//! `token_usage`: tokens used up, by call, turn, session, model and day.

use crate::{Info, Mode, Record, Row, Takes};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "token_usage",
    about: "tokens used up, by call, turn, session, model and day",
    sources: "as alog-tokens",
    own: agentlog::record::TOKENS.own,
    key: &["by"],
    table: &[
        "t",
        "by",
        "sid",
        "model",
        "day",
        "calls",
        "input_tokens",
        "output_tokens",
        "total_tokens",
    ],
    takes: Takes { deltas: false, left_out: true, selected: false },
    make: |_| Box::new(TokenUsage),
};

struct TokenUsage;

impl Mode for TokenUsage {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}
