//! What a request of Claude used up: its start says what was sent, its last delta what came back.

use serde::{Deserialize, Serialize};

use crate::Tokens;

/// A request, as far as its rows told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    start: Option<Tokens>,
    delta: Option<Tokens>,
}

impl Request {
    /// One of which all is known at once.
    pub fn whole(usage: Tokens) -> Self {
        Self { start: Some(usage), delta: None }
    }

    /// Takes the usage of a `message_start`. False if there was one before: the first counts.
    pub fn start(&mut self, usage: Tokens) -> bool {
        let first = self.start.is_none();
        self.start.get_or_insert(usage);
        first
    }

    /// Takes the usage of a `message_delta`: its output is that of the whole request so far.
    pub fn delta(&mut self, usage: Tokens) {
        self.delta = Some(usage);
    }

    /// What was used up: input and cache of the start, output of the last delta. Of a request
    /// without a delta what its start says; of one whose start is lost what its delta says.
    pub fn tokens(&self) -> Tokens {
        let sent = self.start.or(self.delta).unwrap_or_default();
        let came = self.delta.unwrap_or(sent);
        Tokens { output: came.output, reasoning: came.reasoning.min(came.output), ..sent }
    }

    /// The same, as the part that the start told and the part that the last delta told.
    pub fn parts(&self) -> (Tokens, Tokens) {
        match (self.start, self.delta) {
            (Some(start), Some(_)) => {
                let Tokens { output, reasoning, .. } = self.tokens();
                let sent = Tokens { output: 0, reasoning: 0, ..start };
                (sent, Tokens { output, reasoning, ..Tokens::default() })
            }
            (Some(_), None) => (self.tokens(), Tokens::default()),
            (None, _) => (Tokens::default(), self.tokens()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Tokens = Tokens {
        input: 2,
        cache_read: 10,
        cache_write: 4200,
        cache_write_1h: 200,
        output: 3,
        reasoning: 0,
    };

    fn output(output: u64) -> Tokens {
        Tokens { output, ..Tokens::default() }
    }

    #[test]
    fn input_from_the_start_and_output_from_the_last_delta() {
        let mut request = Request::default();
        assert!(request.start(START));
        assert_eq!(request.tokens(), START, "without a delta the start counts");
        request.delta(output(20));
        request.delta(output(55));
        assert!(!request.start(START), "the start again");
        assert_eq!(request.tokens(), Tokens { output: 55, ..START });
    }

    #[test]
    fn of_a_request_without_a_start_the_delta_counts() {
        let mut request = Request::default();
        request.delta(Tokens { input: 7, ..output(55) });
        assert_eq!(request.tokens(), Tokens { input: 7, ..output(55) });
        assert!(Request::default().tokens().is_zero());
    }

    proptest! {
        #[test]
        fn the_parts_add_up(start in any::<bool>(), deltas in proptest::collection::vec(0..9u64, 0..3)) {
            let mut request = Request::default();
            if start {
                request.start(START);
            }
            for n in deltas {
                request.delta(output(n));
            }
            let (sent, came) = request.parts();
            prop_assert_eq!(sent + came, request.tokens());
        }
    }
}
