//! A Claude session: its processes, and the rows that all its parts are written through.
//! What happens inside a turn is told by the modules below.

mod blocks;
mod message;
mod prompt;
mod turn;

use crate::fault::Fault;
use crate::place::turns_of;
use crate::prng::Prng;
use crate::row::Row;
use crate::scribe::Scribe;
use crate::settings::Settings;
use crate::truth::Tables;
use message::Spent;
use serde_json::{Value, json};
use turn::Turn;

#[derive(Debug)]
pub(crate) struct Claude {
    pub(crate) pen: Scribe,
    pub(crate) tables: Tables,
    sid: String,
    pid: u64,
    cwd: &'static str,
    model: &'static str,
    round: String,
    /// The flow that rows are logged under: the running message, or `unknown`.
    flow: String,
    session_turn: u64,
    spent: Spent,
    /// Whether this writer logs tool results, and whether one has been.
    logs_results: bool,
    has_results: bool,
    turn: Turn,
}

impl Claude {
    /// Writes the whole session: ordinary turns first, then one for each fault.
    pub(crate) fn write(mut prng: Prng, settings: &Settings, faults: &[Fault]) -> Self {
        let start = settings.start_ms + prng.range(0, 120_000) as i64;
        let (sid, round) = (prng.uuid4(), prng.uuid7(start));
        let mut session = Self {
            pid: prng.range(1000, 99_999),
            cwd: prng.pick(&["/w/api", "/w/site"]),
            model: "claude-sonnet-4-5-20250929",
            pen: Scribe::new(prng, start, settings.clone()),
            tables: Tables::default(),
            sid,
            round,
            flow: "unknown".into(),
            session_turn: 0,
            spent: Spent::default(),
            logs_results: !faults.contains(&Fault::NoResults),
            has_results: false,
            turn: Turn::default(),
        };
        session.run(faults);
        session
    }

    fn run(&mut self, faults: &[Fault]) {
        self.row("session_start", json!({"source": "new"}));
        let ordinary = self.pen.settings.turns.max(1);
        let mut down = false;
        for fault in (0..ordinary).map(|_| None).chain(turns_of(faults)) {
            self.pen.begin(fault);
            self.pen.tick(400, 50_000);
            if down {
                self.new_process();
            }
            if self.pen.on(Fault::DstChange) {
                self.pen.settings.offset_minutes -= 60;
            }
            down = fault == Some(Fault::ShutdownInTurn);
            self.one_turn();
        }
        self.pen.begin(None);
        let ends = !down && !faults.contains(&Fault::OpenTurn);
        if ends && !faults.contains(&Fault::MissingShutdown) {
            self.pen.tick(100, 3000);
            self.row("session_end", json!({"reason": "prompt_input_exit"}));
        }
        if !self.has_results {
            self.tables.without_results();
        }
        self.tables.tokens.extend(self.spent.record(&self.sid));
    }

    fn new_process(&mut self) {
        self.pid = self.pid % 90_000 + self.pen.prng.range(1000, 9999);
        self.round = self.pen.prng.uuid7(self.pen.ms);
        self.flow = "unknown".into();
        self.row("session_start", json!({"source": "resume"}));
        self.pen.tick(500, 5000);
    }

    /// A row of the running flow, not yet written.
    fn draft(&self, kind: &str, payload: Value) -> Row {
        let row = Row::claude(&format!("claude.{kind}")).payload(payload).sid(&self.sid);
        let row = row.flow_id(&self.flow).round(&self.round).pid(self.pid);
        row.metadata("cwd", self.cwd.into())
    }

    fn row(&mut self, kind: &str, payload: Value) {
        let row = self.draft(kind, payload);
        self.pen.put(row);
    }
}
