//! `token_usage`: tokens used up, by call, turn, session, model and day.
//!
//! The records of `alog-tokens --by` each of these; the key `by` tells which. One fold tells calls
//! apart by all of them, and what belongs together for each is put together at the end: every call
//! is in five records, so that sums are those of one `by`. Days are those of `--zone`.

use agentlog::event::{Provider, ResponsePhase, What};
use agentlog::fold::Fold;
use agentlog::fold::tokens::{By, Group, Options, Share, TokenUse, groups};

use crate::modes::folded::of_group;
use crate::{Info, Mode, Record, Row, Select, Takes};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "token_usage",
    about: "tokens used up, by call, turn, session, model and day",
    sources: "as alog-tokens",
    own: agentlog::record::TOKENS.own,
    key: &["by", "sid", "session_turn", "call", "model", "day"],
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
    takes: Takes { deltas: false, left_out: true, select: Select::Itself },
    make: |options| Box::new(TokenUsage::new(options)),
};

/// What calls are grouped by, each on its own; that with most groups last, when the shares go.
static BY: [By; 5] = [By::Turn, By::Session, By::Model, By::Day, By::Call];

/// How many groups are given out at once: a log has as many as calls.
const AT_ONCE: usize = 4096;

struct TokenUsage {
    fold: TokenUse,
    shares: Vec<Share>,
    /// What is still to be grouped by, once the input is over.
    left: Option<std::slice::Iter<'static, By>>,
    /// Groups that are still to be given out.
    groups: std::vec::IntoIter<Box<Group>>,
}

impl TokenUsage {
    fn new(options: &crate::Options) -> Self {
        let crate::Options { wanted, offset_at, .. } = options.clone();
        let options = Options { wanted, offset_at, ..Options::new(&BY) };
        let groups = Vec::new().into_iter();
        Self { fold: TokenUse::new(options), shares: Vec::new(), left: None, groups }
    }
}

impl Mode for TokenUsage {
    fn feed(&mut self, row: &Row<'_>, _out: &mut Vec<Record>) {
        let event = row.event;
        let tells = match event.what {
            What::Prompt(_)
            | What::Queue(_)
            | What::Session(_)
            | What::Turn(_)
            | What::TokenCount(_)
            | What::Message(_) => true,
            What::Response(response) => {
                // Of both agents the rows that tell what was used up.
                let of_claude = event.head.provider == Some(Provider::Claude);
                of_claude != (response.phase == ResponsePhase::Ended)
            }
            _ => false,
        };
        if tells {
            self.fold.feed(event, &mut self.shares);
        }
    }

    fn advance(&mut self, t: i64, _out: &mut Vec<Record>) {
        self.fold.advance(t, &mut self.shares);
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        while self.finish_some(out) {}
    }

    fn finish_some(&mut self, out: &mut Vec<Record>) -> bool {
        if self.left.is_none() {
            self.fold.finish(&mut self.shares);
        }
        let left = self.left.get_or_insert_with(|| BY.iter());
        out.extend(self.groups.by_ref().take(AT_ONCE).map(|group| of_group(&INFO, *group)));
        if self.groups.len() > 0 {
            return true;
        }
        let Some(by) = left.next() else { return false };
        let found = if left.len() == 0 {
            groups(std::mem::take(&mut self.shares), &[*by], None, false)
        } else {
            groups(self.shares.iter().cloned(), &[*by], None, false)
        };
        self.groups = found.into_iter();
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::given::{claude, records, turn};
    use serde_json::{Value, json};

    fn count(ms: i64, id: &str, input: i64, last: i64) -> String {
        let usage = |input: i64| json!({"input_tokens": input, "cached_input_tokens": 10, "output_tokens": 5, "reasoning_output_tokens": 0, "total_tokens": input + 5});
        let info = json!({"total_token_usage": usage(input), "last_token_usage": usage(last), "model_context_window": 1000});
        turn(ms, "turn.token_count", id, &json!({"info": info, "rate_limits": null}))
    }

    fn told<'v>(found: &'v [Value], by: &str, key: &str) -> Vec<(&'v Value, &'v Value, &'v Value)> {
        let of = found.iter().filter(|group| group["by"] == by);
        of.map(|group| (&group[key], &group["calls"], &group["input_tokens"])).collect()
    }

    #[test]
    fn the_same_calls_in_five_groupings() {
        let day = 86_400_000;
        let rows = [
            turn(0, "turn.session_configured", "", &json!({"session_id": "s", "model": "gpt-x"})),
            turn(1, "turn.user_message", "1", &json!({"message": "go"})),
            count(100, "1", 110, 110),
            count(101, "1", 110, 110),
            count(200, "1", 240, 130),
            turn(300, "turn.response.completed", "1", &json!({})),
            turn(day, "turn.user_message", "2", &json!({"message": "on"})),
            count(day + 100, "2", 390, 150),
        ];
        let found = records("token_usage", &rows);
        // The first counts what its request used up, the others what the totals grew by.
        let (n, one, two, three) = (json!(null), json!(1), json!(2), json!(3));
        let (first, second, third) = (json!(100), json!(130), json!(150));
        assert_eq!(
            told(&found, "call", "call"),
            [(&one, &one, &first), (&two, &one, &second), (&three, &one, &third)]
        );
        let turns = told(&found, "turn", "session_turn");
        assert_eq!(turns, [(&one, &two, &json!(230)), (&two, &one, &third)]);
        assert_eq!(told(&found, "session", "call"), [(&n, &three, &json!(380))]);
        assert_eq!(told(&found, "model", "model"), [(&json!("gpt-x"), &three, &json!(380))]);
        let days = told(&found, "day", "day");
        let (new_year, next) = (json!("2026-01-01"), json!("2026-01-02"));
        assert_eq!(days, [(&new_year, &two, &json!(230)), (&next, &one, &third)]);
        let session = found.iter().find(|group| group["by"] == "session").unwrap();
        assert_eq!((&session["duplicates"], &session["session_turn"]), (&json!(1), &n));
        assert_eq!(session["t_last"], "2026-01-02T00:00:00.100Z");
        assert_eq!(session["context_window"], 1000);
    }

    #[test]
    fn a_request_of_claude_counts_its_start_and_its_last_delta() {
        let start = json!({"id": "m", "model": "claude-x", "usage": {"input_tokens": 7, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 2, "output_tokens": 1}});
        let going = |ms: i64, out: i64| {
            claude(
                ms,
                &json!({"type": "message_delta", "request_id": "r", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": out}}),
            )
        };
        let rows = [
            claude(1, &json!({"type": "message_start", "request_id": "r", "message": start})),
            going(5, 20),
            going(6, 40),
            claude(7, &json!({"type": "message_stop", "request_id": "r"})),
        ];
        let found = records("token_usage", &rows);
        assert_eq!(found.len(), 5, "{found:#?}");
        for group in &found {
            assert_eq!(group["output_tokens"], 40);
            assert_eq!(group["total_tokens"], 52);
        }
    }

    #[test]
    fn messages_of_a_transcript_count_once() {
        let row = |uuid: &str, out: i64| {
            let usage = json!({"input_tokens": 5, "output_tokens": out});
            let message = json!({"id": "m", "model": "claude-x", "role": "assistant", "content": [], "usage": usage});
            json!({"type": "assistant", "uuid": uuid, "sessionId": "c", "requestId": "r", "timestamp": "2026-01-01T00:00:00Z", "message": message}).to_string()
        };
        let found = records("token_usage", &[row("a", 1), row("b", 9)]);
        let session = found.iter().find(|group| group["by"] == "session").unwrap();
        assert_eq!((&session["calls"], &session["output_tokens"]), (&json!(1), &json!(9)));
    }
}
