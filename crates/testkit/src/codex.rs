//! A Codex session: its processes, and the rows that all its parts are written through.
//! What happens inside a turn is told by the modules below.

mod calls;
mod prompt;
mod response;
mod stream;
mod tools;
mod turn;
mod usage;

use crate::fault::Fault;
use crate::place::turns_of;
use crate::prng::Prng;
use crate::row::Row;
use crate::scribe::Scribe;
use crate::settings::Settings;
use crate::truth::Tables;
use serde_json::{Value, json};
use turn::Turn;
use usage::Ledger;

/// How a session relates to one that was made before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kin {
    /// The process that it runs in, if not one of its own.
    pub(crate) pid: Option<u64>,
    /// The session it was forked from, and a call id that it uses again.
    pub(crate) forked: Option<(String, String)>,
    /// A session whose id is put on one of this one's rows by mistake.
    pub(crate) mistaken_for: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Codex {
    pub(crate) pen: Scribe,
    pub(crate) tables: Tables,
    pub(crate) sid: String,
    pid: u64,
    /// The process that it began in.
    pub(crate) first_pid: u64,
    cwd: &'static str,
    model: &'static str,
    turn_id: u64,
    round: String,
    old_round: String,
    /// The next prompt is the process's first one.
    attached: bool,
    session_turn: u64,
    ledger: Ledger,
    has_results: bool,
    turn: Turn,
    kin: Kin,
}

impl Codex {
    /// Writes the whole session: ordinary turns first, then one for each fault.
    pub(crate) fn write(mut prng: Prng, settings: &Settings, faults: &[Fault], kin: Kin) -> Self {
        let start = settings.start_ms + prng.range(0, 120_000) as i64;
        let (sid, round) = (prng.uuid7(start), prng.uuid7(start));
        let pid = kin.pid.unwrap_or_else(|| prng.range(1000, 99_999));
        let mut session = Self {
            pid,
            first_pid: pid,
            cwd: prng.pick(&["/w/api", "/w/site", "/w/tools"]),
            model: prng.pick(&["gpt-5.1-codex", "gpt-5.1-codex-max"]),
            pen: Scribe::new(prng, start, settings.clone()),
            tables: Tables::default(),
            old_round: round.clone(),
            sid,
            round,
            turn_id: 0,
            attached: true,
            session_turn: 0,
            ledger: Ledger::default(),
            has_results: false,
            turn: Turn::default(),
            kin,
        };
        session.run(faults);
        session
    }

    fn run(&mut self, faults: &[Fault]) {
        let history = self.kin.forked.as_ref().map(|_| "an old prompt of the parent");
        self.configured(history);
        self.turn_row("turn.list_custom_prompts_response", json!({"custom_prompts": []}));
        let ordinary = self.pen.settings.turns.max(1);
        let turns = (0..ordinary).map(|_| None).chain(turns_of(faults));
        let mut down = false;
        for fault in turns {
            self.pen.begin(fault);
            self.pen.tick(500, 60_000);
            if down || self.new_process_wanted() {
                self.new_process();
            }
            down = fault == Some(Fault::ShutdownInTurn);
            self.one_turn();
        }
        self.pen.begin(None);
        let ends = !down && !faults.contains(&Fault::OpenTurn);
        if ends && !faults.contains(&Fault::MissingShutdown) {
            self.pen.tick(100, 4000);
            self.turn_row("turn.shutdown_complete", Value::Null);
        }
        if !self.has_results {
            self.tables.without_results();
        }
        self.tables.tokens.extend(self.ledger.record(&self.sid));
    }

    fn new_process_wanted(&self) -> bool {
        let wanted = [Fault::Resume, Fault::TokenRestored, Fault::DstChange];
        wanted.iter().any(|&fault| self.pen.on(fault))
    }

    /// Resumes the session in a process of its own.
    fn new_process(&mut self) {
        if self.pen.on(Fault::DstChange) {
            self.pen.settings.offset_minutes -= 60;
        }
        self.pid = self.pid % 90_000 + self.pen.prng.range(1000, 9999);
        self.turn_id = 0;
        self.attached = true;
        self.round = self.pen.prng.uuid7(self.pen.ms);
        self.ledger.new_process(self.pen.on(Fault::TokenRestored));
        self.configured(Some("an old prompt, not a new one"));
        self.pen.tick(500, 5000);
    }

    fn configured(&mut self, history: Option<&str>) {
        let mut payload = json!({
            "session_id": self.sid, "model": self.model, "approval_policy": "never",
            "sandbox_policy": {"type": "workspace-write"}, "cwd": self.cwd, "history_log_id": 1,
            "history_entry_count": 0, "rollout_path": "/h/rollout.jsonl",
        });
        if let Some(text) = history {
            let old = json!({"type": "user_message", "message": text, "kind": "plain"});
            payload["initial_messages"] =
                json!([old, {"type": "agent_message", "message": "an old answer"}]);
        }
        self.turn_row("turn.session_configured", payload);
    }

    /// A row of the turn's own flow, not yet written.
    fn row(&self, event: &str, payload: Value) -> Row {
        let turn_id = self.turn_id.to_string();
        let flow = format!("{}__turn_{turn_id}", self.sid);
        let row = Row::codex(event).payload(payload).sid(&self.sid).flow_id(&flow);
        row.pid(self.pid).turn_id(&turn_id).round(&self.round).metadata("cwd", self.cwd.into())
    }

    fn turn_row(&mut self, event: &str, payload: Value) {
        let row = self.row(event, payload);
        self.pen.put(row);
    }

    /// A row of the session's response stream.
    fn stream_row(&mut self, event: &str, payload: Value) {
        if !self.pen.on(Fault::TwinsOnly) {
            let row = self.row(event, payload).flow_id(&self.sid);
            self.pen.put(row);
        }
    }
}
