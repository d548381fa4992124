//! Requests of Claude that may still change: each counts once, whatever its rows say again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::FixedState;
use ledger::Request;
use serde::{Deserialize, Serialize};

use super::Key;
use super::group::Place;
use crate::event::{Event, Message, Response, ResponsePhase, Src, What};
use crate::fold::Agreed;
use crate::fold::CountedRow;
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
const MESSAGE: &str = "its message: the row that tells most";
const LESS: &str = "dropped: another row of the message tells as much or more";
/// A row of a message that was counted for good.
pub(super) const LONG_AGO: &str = "dropped: its message was counted long ago";

/// All of these.
pub(super) const HOWS: &[&str] =
    &[START, ONLY_START, DELTA, ONLY_DELTA, AGAIN, EARLIER, MESSAGE, LESS, LONG_AGO];

/// A request.
#[derive(Debug, Serialize, Deserialize, Clone)]
pub(in crate::fold) struct OpenRequest {
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
    /// What a row of a transcript told, if there was one.
    told: Option<ToldMessage>,
    /// What names a message by its id alone.
    id: Option<u64>,
    /// Where it is counted; none if it is not wanted.
    pub key: Option<Key>,
    rows: Vec<CountedRow>,
    /// Which of the rows count.
    start_row: Option<usize>,
    delta_row: Option<usize>,
}

/// The row of a transcript that counts for a message.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct ToldMessage {
    output: u64,
    sub_agent: bool,
}

/// Names that many requests share, such as those of models.
#[derive(Clone, Debug, Default)]
pub(in crate::fold) struct Names {
    all: HashSet<Arc<str>, FixedState>,
    /// The last one: mostly it is the next, too.
    last: Option<Arc<str>>,
}

impl Names {
    fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(last) = self.last.as_ref().filter(|last| ***last == *name) {
            return Arc::clone(last);
        }
        let found = self.all.get(name).cloned().unwrap_or_else(|| {
            let new: Arc<str> = name.into();
            self.all.insert(Arc::clone(&new));
            new
        });
        self.last = Some(Arc::clone(&found));
        found
    }
}

/// Requests by the hashes of their ids.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(in crate::fold) struct Requests {
    #[serde(serialize_with = "crate::state::sorted_map")]
    open: HashMap<u64, Box<OpenRequest>, FixedState>,
    /// What names them, in the order of their first rows.
    order: VecDeque<u64>,
    #[allow(clippy::vec_box)] // They are large, and come from `open`.
    forgotten: Vec<Box<OpenRequest>>,
    /// For each message of a transcript that is remembered, by its id alone: what names it.
    #[serde(serialize_with = "crate::state::sorted_map")]
    messages: HashMap<u64, u64, FixedState>,
    /// The names of messages that are not remembered any more: 8 bytes each, so that a copy of one
    /// in another file never counts.
    #[serde(serialize_with = "crate::state::sorted_set")]
    past: HashSet<u64, FixedState>,
}

impl Requests {
    /// The request of a row that tells usage; none of a message that was counted long ago.
    pub fn of(&mut self, event: &Event<'_>) -> Option<&mut OpenRequest> {
        match event.what {
            What::Response(response) => {
                response.usage?;
                Some(self.at(hash(&[id_of(event, response)?]), event))
            }
            What::Message(message) => self.of_message(event, message),
            _ => None,
        }
    }

    /// A message is named by its id and its request. Gateways name no request: then the session is
    /// a part of the name, since they use ids again. Sub-agents replay messages of their parents
    /// under other requests.
    fn of_message(&mut self, event: &Event<'_>, message: &Message) -> Option<&mut OpenRequest> {
        message.usage?;
        let Some(id) = message.id.map(|id| event.bytes(id)) else {
            // Nothing tells whether it is told again.
            let Src { file, offset, .. } = event.src;
            return Some(self.at(hash(&[&file.to_le_bytes(), &offset.to_le_bytes()]), event));
        };
        let whose = match message.request {
            Some(request) => event.bytes(request),
            None => event.head.sid.as_deref().unwrap_or_default().as_bytes(),
        };
        let (id, key) = hash_both(id, whose);
        if !self.open.contains_key(&key) {
            let same = self.messages.get(&id).copied();
            let told = same.and_then(|same| self.open.get(&same)?.told);
            if let (Some(same), Some(told)) = (same, told)
                && (message.sub_agent || told.sub_agent)
            {
                return Some(self.at(same, event));
            }
            if self.past.contains(&key) || message.sub_agent && self.past.contains(&id) {
                return None;
            }
            self.messages.insert(id, key);
            self.begin(key);
        }
        let request = self.open_at(key, event);
        request.id = Some(id);
        Some(request)
    }

    /// The request of that name.
    fn at(&mut self, key: u64, event: &Event<'_>) -> &mut OpenRequest {
        if !self.open.contains_key(&key) {
            self.begin(key);
        }
        self.open_at(key, event)
    }

    /// Makes room for a request that comes for the first time.
    fn begin(&mut self, key: u64) {
        self.order.push_back(key);
        if self.order.len() > REMEMBERED {
            self.forget_oldest();
        }
    }

    /// The same as [`Requests::at`], once there is room for it.
    fn open_at(&mut self, key: u64, event: &Event<'_>) -> &mut OpenRequest {
        let new = || Box::new(OpenRequest::new((event.t, event.src)));
        self.open.entry(key).or_insert_with(new)
    }

    fn forget_oldest(&mut self) {
        let Some(key) = self.order.pop_front() else { return };
        let Some(request) = self.open.remove(&key) else { return };
        if let Some(id) = request.id {
            self.messages.remove(&id);
            self.past.extend([key, id]);
        }
        self.forgotten.push(request);
    }

    /// All requests that are remembered.
    pub fn each(&mut self) -> impl Iterator<Item = &mut OpenRequest> {
        self.open.values_mut().chain(&mut self.forgotten).map(|request| &mut **request)
    }

    /// A request that is not remembered any more.
    pub fn next_forgotten(&mut self) -> Option<Box<OpenRequest>> {
        self.forgotten.pop()
    }

    /// All requests that are left, in the order of their first rows.
    #[allow(clippy::vec_box)] // They are large, and sorted.
    pub fn finish(&mut self) -> Vec<Box<OpenRequest>> {
        self.order.clear();
        let mut left = std::mem::take(&mut self.forgotten);
        left.extend(self.open.drain().map(|(_, request)| request));
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
            told: None,
            id: None,
            key: None,
            rows: Vec::new(),
            start_row: None,
            delta_row: None,
        }
    }

    /// Takes a row.
    pub fn row(&mut self, event: &Event<'_>, names: &mut Names, explain: bool) {
        match event.what {
            What::Response(response) => self.response(event, response, names, explain),
            What::Message(message) => self.message(event, message, names, explain),
            _ => {}
        }
    }

    fn response(
        &mut self,
        event: &Event<'_>,
        response: &Response,
        names: &mut Names,
        explain: bool,
    ) {
        let Some(usage) = response.usage.map(|usage| usage.tokens()) else { return };
        self.agreed.add(event.head);
        if self.model.is_none() {
            self.model = event.head.model.as_deref().map(|model| names.get(model));
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

    /// Takes a row of a transcript: the one that tells most counts, and one of the main agent
    /// before a sub-agent's copy.
    fn message(&mut self, event: &Event<'_>, message: &Message, names: &mut Names, explain: bool) {
        let Some(usage) = message.usage.map(|usage| usage.tokens()) else { return };
        let Message { sub_agent, .. } = *message;
        let told = ToldMessage { output: usage.output, sub_agent };
        let counts = self.told.is_none_or(|before| match (before.sub_agent, sub_agent) {
            (true, false) => true,
            (false, true) => false,
            // A copy says the same as its original, which counts.
            _ if event.left_out.is_some() => told.output > before.output,
            _ => told.output >= before.output,
        });
        self.repeats += u64::from(self.told.is_some());
        // A copy in another session says nothing of this one.
        if self.agreed.head().sid.is_none() || self.agreed.head().sid == event.head.sid {
            self.agreed.add(event.head);
        }
        let at = self.rows.len();
        if counts {
            self.told = Some(told);
            self.usage = Request::whole(usage);
            self.last = self.last.max((event.t, event.src));
            let model = message.model.map(|model| event.name(model));
            let model = model.or(event.head.model.as_deref());
            self.model = model.map(|model| names.get(model)).or_else(|| self.model.take());
            let before = self.start_row.replace(at);
            if let Some(row) = before.and_then(|row| self.rows.get_mut(row)) {
                row.how = LESS;
            }
        }
        if explain {
            let how = if counts { MESSAGE } else { LESS };
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
        let only_start = delta.is_none() && self.told.is_none();
        count(start, sent, only_start.then_some(ONLY_START));
        count(delta, came, start.is_none().then_some(ONLY_DELTA));
        rows
    }
}

/// What names a request: 64 bits, so that what is remembered stays small.
fn hash(parts: &[&[u8]]) -> u64 {
    let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
    for part in parts {
        take_part(&mut hasher, part);
    }
    hasher.finish()
}

/// The hash of one part, and that of it with another, which takes no second look at the first.
fn hash_both(part: &[u8], other: &[u8]) -> (u64, u64) {
    let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
    take_part(&mut hasher, part);
    let one = hasher.finish();
    take_part(&mut hasher, other);
    (one, hasher.finish())
}

fn take_part(hasher: &mut impl Hasher, part: &[u8]) {
    hasher.write(part);
    // No part goes on in the next.
    hasher.write_u8(0xff);
}
