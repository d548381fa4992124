//! Rows of one Codex thread: the line around a payload, turns, counts.

use super::super::Settings;
use super::super::book::{Book, Used};
use super::super::sheet::Sheet;
use crate::calendar::{stamp, utc_stamp};
use crate::prng::Prng;
use serde_json::{Value, json};

pub(super) const CWD: &str = "/w/app";

/// How a thread is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// Events, and items beside them.
    #[default]
    Events,
    /// `item_completed` in place of the events of messages, and ordinals.
    Paginated,
    /// Events, but none that begin and end turns.
    NoTasks,
    /// Bare items without times.
    Bare,
}

/// Counts as Codex tells them: cached is a part of input.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) input: u64,
    pub(super) cached: u64,
    pub(super) output: u64,
    pub(super) reasoning: u64,
    /// More than input and output where a compaction made it up.
    pub(super) total: u64,
}

impl Totals {
    fn plus(self, more: Self) -> Self {
        Self {
            input: self.input + more.input,
            cached: self.cached + more.cached,
            output: self.output + more.output,
            reasoning: self.reasoning + more.reasoning,
            total: self.total + more.total,
        }
    }

    pub(super) fn json(self) -> Value {
        json!({
            "input_tokens": self.input, "cached_input_tokens": self.cached,
            "output_tokens": self.output, "reasoning_output_tokens": self.reasoning,
            "total_tokens": self.total,
        })
    }

    pub(super) fn used(self) -> Used {
        Used {
            input: self.input - self.cached,
            cache_read: self.cached,
            output: self.output,
            reasoning: self.reasoning,
            ..Used::default()
        }
    }
}

/// A thread that is being written.
#[derive(Clone, Debug)]
pub(super) struct Pen {
    pub(super) prng: Prng,
    pub(super) now: i64,
    pub(super) settings: Settings,
    pub(super) form: Form,
    pub(super) thread: String,
    pub(super) sheet: Sheet,
    pub(super) book: Book,
    pub(super) totals: Totals,
    pub(super) turn_id: String,
    pub(super) model: &'static str,
    /// Whether requests are told by `token_usage_record` too.
    pub(super) records: bool,
    /// Whether turns begin and end with `turn_started` and `turn_complete`.
    pub(super) says_turn: bool,
    /// Whether it is a sub-agent, which nobody types to.
    pub(super) is_agent: bool,
    ordinal: u64,
    prompts: usize,
}

impl Pen {
    /// A thread that starts at `ms`, with the members of its `session_meta` that are its own.
    pub(super) fn new(mut prng: Prng, ms: i64, settings: &Settings, form: Form) -> Self {
        let thread = prng.uuid7(ms);
        let name = stamp(ms)[..19].replace(':', "-");
        let day = name[..10].replace('-', "/");
        let sheet = Sheet::new(format!(".codex/sessions/{day}/rollout-{name}-{thread}.jsonl"));
        let mut book = Book::new("codex", &thread);
        book.tells_ends = matches!(form, Form::Events | Form::Paginated);
        Self {
            prompts: prng.range(0, 90) as usize,
            prng,
            now: ms,
            settings: settings.clone(),
            form,
            thread,
            sheet,
            book,
            totals: Totals::default(),
            turn_id: String::new(),
            model: "gpt-5-codex",
            records: false,
            says_turn: false,
            is_agent: false,
            ordinal: 0,
        }
    }

    pub(super) fn tick(&mut self, low: u64, high: u64) -> i64 {
        // Bare items have no time: for their reader, none passes.
        if self.form != Form::Bare {
            self.now += self.prng.range(low, high) as i64;
        }
        self.now
    }

    /// What the thread says of itself first.
    pub(super) fn meta(&self, members: &Value) -> Value {
        let mut payload = json!({
            "id": self.thread, "timestamp": utc_stamp(self.now), "cwd": CWD,
            "originator": "codex_cli_rs", "cli_version": "0.120.0", "source": "cli",
            "model_provider": "openai",
        });
        for (key, value) in members.as_object().into_iter().flatten() {
            payload[key] = value.clone();
        }
        payload
    }

    pub(super) fn begin(&mut self, members: &Value) {
        if self.form == Form::Bare {
            let t = utc_stamp(self.now);
            let header = json!({"id": self.thread, "timestamp": t, "instructions": "Be brief."});
            return self.sheet.row(header);
        }
        let mut meta = self.meta(members);
        if self.form == Form::Paginated {
            meta["history_mode"] = "paginated".into();
        }
        self.line("session_meta", meta);
    }

    /// A line, at the time that it is.
    pub(super) fn line(&mut self, kind: &str, payload: Value) {
        let mut row = json!({"timestamp": utc_stamp(self.now)});
        if self.form == Form::Paginated {
            row["ordinal"] = self.ordinal.into();
            self.ordinal += 1;
        }
        row["type"] = kind.into();
        row["payload"] = payload;
        self.sheet.row(row);
    }

    pub(super) fn event(&mut self, kind: &str, members: Value) {
        let mut payload = json!({"type": kind});
        super::append(&mut payload, members);
        self.line("event_msg", payload);
    }

    pub(super) fn item(&mut self, item: Value) {
        match self.form {
            Form::Bare => {
                self.sheet.row(item);
                self.sheet.row(json!({"record_type": "state"}));
            }
            _ => self.line("response_item", item),
        }
    }

    pub(super) fn message(&mut self, role: &str, text: &str) {
        let kind = if role == "assistant" { "output_text" } else { "input_text" };
        let content = json!([{"type": kind, "text": text}]);
        self.item(json!({"type": "message", "role": role, "content": content}));
    }

    /// The next text that the user types.
    pub(super) fn next_text(&mut self) -> String {
        self.prompts += 1;
        self.settings.prompt(self.prompts, &mut self.prng)
    }

    /// Opens a turn with the next prompt.
    pub(super) fn open(&mut self) {
        let text = self.next_text();
        self.open_with(&text, &text);
    }

    /// Opens a turn with a prompt that is written like that.
    pub(super) fn open_with(&mut self, text: &str, written: &str) {
        self.tick(1500, 9000);
        self.turn_id = self.prng.uuid7(self.now);
        if matches!(self.form, Form::Events | Form::Paginated) {
            let started = json!({
                "turn_id": self.turn_id, "started_at": self.now.div_euclid(1000),
                "model_context_window": 258_400, "collaboration_mode_kind": "default",
            });
            self.event(if self.says_turn { "turn_started" } else { "task_started" }, started);
        }
        if self.form != Form::Bare {
            self.tick(1, 30);
            let context = json!({
                "turn_id": self.turn_id, "cwd": CWD, "approval_policy": "on-request",
                "sandbox_policy": {"type": "workspace-write"}, "model": self.model,
                "summary": "auto",
            });
            self.line("turn_context", context);
        }
        self.says(text, written, true);
    }

    /// A user's message: in an item, and in the event of the thread's form.
    pub(super) fn says(&mut self, text: &str, written: &str, opens: bool) {
        self.message("user", written);
        self.tick(1, 20);
        match self.form {
            Form::Paginated => {
                let content = json!([{"type": "text", "text": written, "text_elements": []}]);
                self.completed("UserMessage", &content);
            }
            Form::Bare => {}
            _ => self.event("user_message", json!({"message": written, "images": []})),
        }
        match (self.is_agent, opens) {
            (true, _) => {}
            (false, true) => self.book.prompt(self.now, text),
            (false, false) => self.book.queued(self.now, text),
        }
    }

    fn completed(&mut self, kind: &str, content: &Value) {
        let id = self.prng.uuid4();
        let item = json!({"type": kind, "id": id, "content": content});
        let event = json!({
            "thread_id": self.thread, "turn_id": self.turn_id, "item": item,
            "completed_at_ms": self.now,
        });
        self.event("item_completed", event);
    }

    /// A message of the agent.
    pub(super) fn reply(&mut self) -> String {
        self.tick(200, 4000);
        let text = self.settings.reply(&mut self.prng);
        self.message("assistant", &text);
        match self.form {
            Form::Paginated => {
                self.completed("AgentMessage", &json!([{"type": "Text", "text": text}]));
            }
            Form::Bare => {}
            _ => self.event("agent_message", json!({"message": text, "phase": null})),
        }
        if !self.is_agent {
            self.book.said(&text);
        }
        text
    }

    /// A request of some size is paid for and told.
    pub(super) fn count(&mut self) {
        let prng = &mut self.prng;
        let (input, output) = (prng.range(2000, 60_000), prng.range(60, 3000));
        let (cached, reasoning) = (prng.range(0, input), prng.range(0, output));
        self.count_of(Totals { input, cached, output, reasoning, total: input + output });
    }

    /// A request is paid for and told.
    pub(super) fn count_of(&mut self, last: Totals) {
        if self.form == Form::Bare {
            return;
        }
        self.tick(3, 80);
        self.totals = self.totals.plus(last);
        self.book.spent(last.used());
        if self.records {
            let thread = self.thread.clone();
            self.record(&thread, last);
        }
        self.told(self.totals, last);
    }

    /// A `token_count` that says so.
    pub(super) fn told(&mut self, totals: Totals, last: Totals) {
        let info = json!({
            "total_token_usage": totals.json(), "last_token_usage": last.json(),
            "model_context_window": 258_400,
        });
        self.count_row(&info);
    }

    pub(super) fn count_row(&mut self, info: &Value) {
        let resets = self.now.div_euclid(1000) + 9000;
        let primary = json!({"used_percent": 12.5, "window_minutes": 300, "resets_at": resets});
        let limits = json!({"limit_id": "codex", "primary": primary, "secondary": null});
        self.event("token_count", json!({"info": info, "rate_limits": limits}));
    }

    /// A `token_usage_record` of a thread.
    pub(super) fn record(&mut self, thread: &str, last: Totals) -> Value {
        let id = self.prng.id("resp_", 24);
        let record = json!({
            "thread_id": thread, "turn_id": self.turn_id, "session_id": thread,
            "response_id": id, "usage": last.json(), "turn_token_usage": last.json(),
            "thread_token_usage": self.totals.json(),
        });
        self.line("token_usage_record", record.clone());
        record
    }

    /// One request that runs a command, and the command's result.
    pub(super) fn step(&mut self) {
        self.tick(300, 4000);
        let thought = json!([{"type": "summary_text", "text": "**Looking**"}]);
        self.item(json!({"type": "reasoning", "summary": thought, "encrypted_content": "gAAA"}));
        let id = self.call("exec_command", &json!({"cmd": "cargo test -q"}));
        self.result(&id, 0);
        self.count();
    }

    /// A function call; returns its id.
    pub(super) fn call(&mut self, name: &str, arguments: &Value) -> String {
        let id = self.prng.id("call_", 22);
        self.tick(20, 900);
        let arguments = arguments.to_string();
        let item =
            json!({"type": "function_call", "name": name, "arguments": arguments, "call_id": id});
        self.item(item);
        self.book.called(&id, Some(name));
        id
    }

    /// The result of a command, as it is written for the model.
    pub(super) fn result(&mut self, id: &str, exit_code: i64) {
        self.tick(20, 5000);
        let said = self.prng.text(2, 20);
        let output = json!({"output": said, "metadata": {"exit_code": exit_code,
            "duration_seconds": 0.4}});
        let output = output.to_string();
        self.item(json!({"type": "function_call_output", "call_id": id, "output": output}));
        self.book.answered(id, exit_code == 0);
    }

    /// The last words of a turn.
    pub(super) fn finish(&mut self) {
        let text = self.reply();
        self.count();
        self.tick(2, 40);
        if matches!(self.form, Form::Events | Form::Paginated) {
            let end = json!({
                "turn_id": self.turn_id, "last_agent_message": text,
                "completed_at": self.now.div_euclid(1000), "duration_ms": 4200,
            });
            self.event(if self.says_turn { "turn_complete" } else { "task_complete" }, end);
        }
        if !self.is_agent {
            self.book.close("completed");
        }
    }
}
