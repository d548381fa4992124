//! The tokens that a turn used up, by the same rules as `alog-tokens`.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use ledger::{Added, Counts, PerSource, Source, Tokens};

use crate::event::{Event, Response, ResponsePhase, Src, Usage, UsageForm, What};
use crate::fold::CountedRow;
use crate::fold::tokens::requests::{OpenRequest, Requests};
use crate::zone::ZoneKey;

/// The counters of all Codex processes.
#[derive(Debug, Default)]
pub(super) struct Processes {
    counts: HashMap<ZoneKey, Counts, FixedState>,
    /// The process of each session that counted last.
    latest: HashMap<ZoneKey, ZoneKey, FixedState>,
}

impl Processes {
    /// What a row adds to its process, if it is one that tells counts.
    pub fn read(&mut self, event: &Event<'_>) -> Option<(Source, Added)> {
        let reading = |usage: Option<Usage>| usage.map(|usage| usage.reading());
        match event.what {
            What::TokenCount(count) => {
                let source = match count.form {
                    UsageForm::Turn => Source::Turn,
                    UsageForm::Codex => Source::Codex,
                };
                let (totals, last) = (reading(count.totals), reading(count.last));
                Some((source, self.of(event).totals(source, totals, last)))
            }
            What::Response(response)
                if response.phase == ResponsePhase::Ended && !is_claude(event) =>
            {
                let id = response.id.map(|id| event.name(id));
                let added = self.of(event).response(id, reading(response.usage));
                Some((Source::Response, added))
            }
            _ => None,
        }
    }

    /// The kind of rows that counts for a process.
    pub fn chosen(&self, sid: Option<&str>, pid: Option<i64>) -> Option<Source> {
        self.counts.get(&ZoneKey::new(sid, pid))?.chosen()
    }

    fn of(&mut self, event: &Event<'_>) -> &mut Counts {
        let sid = event.head.sid.as_deref();
        let (process, session) = (ZoneKey::new(sid, event.head.pid), ZoneKey::new(sid, None));
        let before = self.latest.insert(session, process);
        let before = before.and_then(|before| self.counts.get(&before)).map(Counts::taking_over);
        self.counts.entry(process).or_insert_with(|| before.unwrap_or_default())
    }
}

/// Whether the row is Claude's.
pub(super) fn is_claude(event: &Event<'_>) -> bool {
    event.head.provider == Some(crate::event::Provider::Claude)
}

/// What a turn used up.
#[derive(Debug, Default)]
pub(super) struct Spent {
    codex: PerSource<Option<Tokens>>,
    /// The rows of each kind that told counts.
    told: Vec<(Src, Source)>,
    requests: Requests,
}

impl Spent {
    /// Takes what a row added to its process.
    pub fn add(&mut self, source: Source, src: Src, added: &Added) {
        self.told.push((src, source));
        if added.how.counts() {
            *self.codex.of_mut(source).get_or_insert_default() += added.tokens;
        }
    }

    /// Takes a row of a Claude message.
    pub fn request(&mut self, event: &Event<'_>, response: &Response) {
        if let Some(request) = self.requests.of(event, response) {
            request.row(event, response, true);
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
