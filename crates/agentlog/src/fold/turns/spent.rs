//! The tokens that a turn used up, by the same rules as `alog-tokens`.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::FixedState;
use ledger::{Added, Counts, PerSource, Source, Tokens};
use serde::{Deserialize, Serialize};

use super::work::hash;
use crate::event::{Event, ResponsePhase, Src, What};
use crate::fold::CountedRow;
use crate::fold::tokens::requests::{Names, OpenRequest, Requests};
use crate::fold::turn_book::TurnKey;
use crate::zone::ZoneKey;

/// The counters of all Codex processes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Processes {
    #[serde(serialize_with = "crate::state::sorted_map")]
    counts: HashMap<ZoneKey, Counts, FixedState>,
    /// The process of each session that counted last.
    #[serde(serialize_with = "crate::state::sorted_map")]
    latest: HashMap<ZoneKey, ZoneKey, FixedState>,
}

impl Processes {
    /// What a row adds to its process, if it is one that tells counts.
    pub fn read(&mut self, event: &Event<'_>) -> Option<(Source, Added)> {
        match event.what {
            What::TokenCount(count) if event.left_out.is_some() => {
                self.of(event).baseline(count.source, count.readings().0);
                None
            }
            What::TokenCount(count) => {
                let (totals, last) = count.readings();
                Some((count.source, self.of(event).totals(count.source, totals, last)))
            }
            What::Response(response)
                if response.phase == ResponsePhase::Ended && !is_claude(event) =>
            {
                let id = response.id.map(|id| event.name(id));
                let usage = response.usage.map(|usage| usage.reading());
                if response.recorded {
                    return Some((Source::Record, self.of(event).record(id, usage)));
                }
                Some((Source::Response, self.of(event).response(id, usage)))
            }
            _ => None,
        }
    }

    /// The kind of rows that counts for a process.
    pub fn chosen(&self, sid: Option<&str>, pid: Option<i64>) -> Option<Source> {
        self.counts.get(&ZoneKey::new(sid, pid))?.chosen()
    }

    fn of(&mut self, event: &Event<'_>) -> &mut Counts {
        let counter = event.head.counter();
        let sid = counter.as_deref();
        let session = ZoneKey::new(sid, None);
        let process = match (event.head.pid, self.latest.get(&session)) {
            // A row that does not name its process is of the one that wrote last.
            (None, Some(latest)) => *latest,
            (pid, _) => ZoneKey::new(sid, pid),
        };
        let before = self.latest.insert(session, process);
        let before = before.and_then(|before| self.counts.get(&before)).map(Counts::taking_over);
        self.counts.entry(process).or_insert_with(|| before.unwrap_or_default())
    }
}

/// Whether the row is Claude's.
pub(super) fn is_claude(event: &Event<'_>) -> bool {
    event.head.provider == Some(crate::event::Provider::Claude)
}

/// The turns of requests, by the hashes of their ids.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Owners {
    #[serde(serialize_with = "crate::state::sorted_map")]
    turns: HashMap<u64, TurnKey, FixedState>,
    order: VecDeque<u64>,
}

/// How many requests are remembered; no more than some overlap.
const REQUESTS: usize = 256;

impl Owners {
    /// The turn of a row that was placed in `key`: for a row about a request of Claude, that of the
    /// request's first row.
    pub fn owner(&mut self, event: &Event<'_>, key: Option<TurnKey>) -> Option<TurnKey> {
        let id = match event.what {
            What::Response(response) if is_claude(event) => response.id,
            What::Message(message) => message.id,
            _ => None,
        };
        let Some(id) = id else { return key };
        let id = hash(event.bytes(id));
        if let Some(owner) = self.turns.get(&id) {
            return Some(*owner);
        }
        self.turns.insert(id, key?);
        self.order.push_back(id);
        if self.order.len() > REQUESTS {
            let oldest = self.order.pop_front();
            oldest.and_then(|oldest| self.turns.remove(&oldest));
        }
        key
    }
}

/// What a turn used up.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct Spent {
    codex: PerSource<Option<Tokens>>,
    /// The rows of each kind that told counts, if they are to be explained.
    told: Vec<(Src, Source)>,
    requests: Requests,
}

impl Spent {
    /// Takes what a row added to its process.
    pub fn add(&mut self, source: Source, src: Src, added: &Added, explain: bool) {
        if explain {
            self.told.push((src, source));
        }
        if added.how.counts() {
            *self.codex.of_mut(source).get_or_insert_default() += added.tokens;
        }
    }

    /// Takes a row of a Claude message.
    pub fn request(&mut self, event: &Event<'_>, explain: bool) {
        if let Some(request) = self.requests.of(event) {
            // Turns are not told apart by model: there are no names to share.
            request.row(event, &mut Names::default(), explain);
        }
    }

    /// Puts right what rows say that they added, now that it is known which kind of them counts.
    pub fn explain(&mut self, source: Option<Source>, rows: &mut [CountedRow]) {
        let told: HashMap<Src, Source> = self.told.drain(..).collect();
        let of_requests = self.requests.each().flat_map(OpenRequest::rows);
        let requests: HashMap<Src, CountedRow> = of_requests.map(|row| (row.src, row)).collect();
        for row in rows {
            if let Some(other) = told.get(&row.src).filter(|other| source != Some(**other)) {
                row.tokens = None;
                if *other != Source::Response
                    && let Some(source) = source
                {
                    row.how = source.instead();
                }
            }
            if let Some(counted) = requests.get(&row.src) {
                row.tokens.clone_from(&counted.tokens);
            }
        }
    }

    /// All of it; none if no row told any.
    pub fn finish(&mut self, source: Option<Source>) -> Option<Tokens> {
        let codex = source.and_then(|source| *self.codex.of(source));
        let requests = self.requests.finish().into_iter().map(|request| request.usage.tokens());
        codex.into_iter().chain(requests).reduce(|mut sum, more| {
            sum += more;
            sum
        })
    }
}
