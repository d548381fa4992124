//! Requests of Claude that may still change: each counts once, whatever its rows say again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::FixedState;
use ledger::Request;

use super::Key;
use super::group::{CountedRow, Place};
use crate::event::{Event, Response, ResponsePhase};
use crate::fold::Agreed;
use crate::fold::turn_book::TurnKey;

/// How many requests are remembered, so that what is said of them again counts once. Some never
/// end, so their end cannot be waited for.
const REMEMBERED: usize = 4096;

const START: &str = "message_start: input and cache";
const ONLY_START: &str = "message_start: all, since no message_delta came";
const DELTA: &str = "last message_delta: output";
const ONLY_DELTA: &str = "last message_delta: all, since no message_start came";
const AGAIN: &str = "dropped: told before";
const EARLIER: &str = "dropped: a later message_delta counts";

/// A request.
#[derive(Debug)]
pub(super) struct OpenRequest {
    pub usage: Request,
    /// Its first row, by whose time it is selected and grouped.
    pub first: Place,
    /// Its last row that told something.
    pub last: Place,
    pub agreed: Agreed,
    pub model: Option<Arc<str>>,
    /// How often its start was said again.
    pub repeats: u64,
    /// Its process; none before a row was placed.
    pub process: Option<usize>,
    /// Whether a row told its session.
    pub knows_session: bool,
    /// Its turn, by the first row that has one.
    pub turn: Option<TurnKey>,
    /// Where it is counted; none if it is not wanted.
    pub key: Option<Key>,
    rows: Vec<CountedRow>,
    /// Which of the rows count.
    start_row: Option<usize>,
    delta_row: Option<usize>,
}

/// Requests by their ids.
#[derive(Debug, Default)]
pub(super) struct Requests {
    open: HashMap<Box<[u8]>, OpenRequest, FixedState>,
    /// Ids in the order of their first rows.
    order: VecDeque<Box<[u8]>>,
    forgotten: Vec<OpenRequest>,
}

impl Requests {
    /// The request of a row that tells usage.
    pub fn of(&mut self, event: &Event<'_>, response: &Response) -> Option<&mut OpenRequest> {
        response.usage?;
        let id = id_of(event, response)?;
        if !self.open.contains_key(id) {
            self.order.push_back(id.into());
            if self.order.len() > REMEMBERED {
                let oldest = self.order.pop_front();
                self.forgotten.extend(oldest.and_then(|oldest| self.open.remove(&oldest)));
            }
            self.open.insert(id.into(), OpenRequest::new((event.t, event.src)));
        }
        self.open.get_mut(id)
    }

    /// Requests that are not remembered any more.
    pub fn forgotten(&mut self) -> Vec<OpenRequest> {
        std::mem::take(&mut self.forgotten)
    }

    /// All requests that are left, in the order of their first rows.
    pub fn finish(&mut self) -> Vec<OpenRequest> {
        self.order.clear();
        let mut left: Vec<OpenRequest> = self.open.drain().map(|(_, request)| request).collect();
        left.sort_unstable_by_key(|request| request.first);
        left
    }
}

/// `request_id`, else the flow, which is the message's id; a row with neither is nobody's.
fn id_of<'e>(event: &Event<'e>, response: &Response) -> Option<&'e [u8]> {
    let flow = || event.head.flow_id.as_deref().filter(|flow| flow.starts_with("msg_"));
    match response.id {
        Some(id) => Some(event.bytes(id)),
        None => flow().map(str::as_bytes),
    }
}

impl OpenRequest {
    fn new(at: Place) -> Self {
        Self {
            usage: Request::default(),
            first: at,
            last: at,
            agreed: Agreed::default(),
            model: None,
            repeats: 0,
            process: None,
            knows_session: false,
            turn: None,
            key: None,
            rows: Vec::new(),
            start_row: None,
            delta_row: None,
        }
    }

    /// Takes a row.
    pub fn row(&mut self, event: &Event<'_>, response: &Response, explain: bool) {
        let Some(usage) = response.usage.map(|usage| usage.tokens()) else { return };
        self.agreed.add(event.head);
        if self.model.is_none() {
            self.model = event.head.model.as_deref().map(Arc::from);
        }
        let at = self.rows.len();
        let how = match response.phase {
            ResponsePhase::Started if self.usage.start(usage) => {
                self.start_row = Some(at);
                START
            }
            ResponsePhase::Started => {
                self.repeats += 1;
                AGAIN
            }
            _ => {
                self.usage.delta(usage);
                if let Some(earlier) = self.delta_row.replace(at).and_then(|i| self.rows.get_mut(i))
                {
                    earlier.how = EARLIER;
                }
                DELTA
            }
        };
        if how != AGAIN {
            self.last = self.last.max((event.t, event.src));
        }
        if explain {
            self.rows.push(CountedRow { src: event.src, how, tokens: None });
        }
    }

    /// Its rows, with what each counted for.
    pub fn rows(&mut self) -> Vec<CountedRow> {
        let mut rows = std::mem::take(&mut self.rows);
        let (sent, came) = self.usage.parts();
        let (start, delta) = (self.start_row, self.delta_row);
        let mut count = |row: Option<usize>, tokens, whole: Option<&'static str>| {
            if let Some(row) = row.and_then(|at| rows.get_mut(at)) {
                row.tokens = Some(Box::new(tokens));
                row.how = whole.unwrap_or(row.how);
            }
        };
        count(start, sent, delta.is_none().then_some(ONLY_START));
        count(delta, came, start.is_none().then_some(ONLY_DELTA));
        rows
    }
}
