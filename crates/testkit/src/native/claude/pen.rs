//! Rows of one Claude session: the envelope, responses block by block, results of tools.

use super::super::Settings;
use super::super::book::{Book, Used};
use super::super::sheet::Sheet;
use crate::calendar::utc_stamp;
use crate::prng::Prng;
use serde_json::{Map, Value, json};

pub(super) const CWD: &str = "/w/app";
pub(super) const MODEL: &str = "claude-sonnet-4-5-20250929";

/// Who speaks: the main agent, or one of its sub-agents.
#[derive(Clone, Debug, Default)]
pub(super) struct Voice {
    /// The file that it writes to, by its place among the session's.
    pub(super) sheet: usize,
    pub(super) sidechain: bool,
    /// Since 2.0 rows name their sub-agent.
    pub(super) agent: Option<String>,
    pub(super) parent: Option<String>,
}

/// A session that is being written.
#[derive(Clone, Debug)]
pub(super) struct Pen {
    pub(super) prng: Prng,
    pub(super) now: i64,
    pub(super) settings: Settings,
    pub(super) sheets: Vec<Sheet>,
    pub(super) book: Book,
    pub(super) voice: Voice,
    /// Whether the rows of a response tell an output that grows.
    pub(super) growing: bool,
    /// Whether rows name their request.
    pub(super) names_requests: bool,
    /// Whether cache writes are kept for an hour.
    pub(super) for_an_hour: bool,
    prompts: usize,
}

impl Pen {
    /// A session of that id, which starts at `ms`; its transcript is its first file.
    pub(super) fn new(mut prng: Prng, ms: i64, sid: &str, settings: &Settings) -> Self {
        let path = format!(".claude/projects/-w-app/{sid}.jsonl");
        Self {
            prompts: prng.range(0, 90) as usize,
            prng,
            now: ms,
            settings: settings.clone(),
            sheets: vec![Sheet::new(path)],
            book: Book::new("claude", sid),
            voice: Voice::default(),
            growing: false,
            names_requests: true,
            for_an_hour: false,
        }
    }

    pub(super) fn tick(&mut self, low: u64, high: u64) -> i64 {
        self.now += self.prng.range(low, high) as i64;
        self.now
    }

    /// A chain row; its members follow those of every row. Returns its uuid.
    pub(super) fn row(&mut self, kind: &str, members: Value) -> String {
        let uuid = self.prng.uuid4();
        let Voice { sidechain, agent, parent, .. } = &self.voice;
        let mut row = json!({
            "parentUuid": parent, "isSidechain": sidechain, "userType": "external", "cwd": CWD,
            "sessionId": self.book.sid, "version": "2.1.17", "gitBranch": "main",
        });
        if let Some(agent) = agent {
            row["agentId"] = agent.as_str().into();
        }
        row["type"] = kind.into();
        append(&mut row, members);
        row["uuid"] = uuid.as_str().into();
        row["timestamp"] = utc_stamp(self.now).into();
        self.sheets[self.voice.sheet].row(row);
        self.voice.parent = Some(uuid.clone());
        uuid
    }

    /// A row without a place in the chain.
    pub(super) fn state(&mut self, row: Value) {
        self.sheets[0].row(row);
    }

    /// A row of type `user`, some time after the one before.
    pub(super) fn user(&mut self, content: Value, members: Value) -> String {
        self.tick(150, 2500);
        let mut all = json!({"message": {"role": "user"}});
        all["message"]["content"] = content;
        append(&mut all, members);
        self.row("user", all)
    }

    /// The next text that the user types.
    pub(super) fn next_text(&mut self) -> String {
        self.prompts += 1;
        self.settings.prompt(self.prompts, &mut self.prng)
    }

    /// A prompt that opens a turn.
    pub(super) fn prompt(&mut self) -> String {
        let text = self.next_text();
        self.prompt_of(&text, json!(text), json!({}))
    }

    /// A prompt whose row looks like that.
    pub(super) fn prompt_of(&mut self, text: &str, content: Value, members: Value) -> String {
        self.tick(1500, 9000);
        let uuid = self.user(content, members);
        self.book.prompt(self.now, text);
        uuid
    }

    /// A response of these blocks, one row each. Returns its message, as the last row has it.
    pub(super) fn respond(&mut self, blocks: Vec<Value>) -> Value {
        let used = self.used();
        let (id, request) = (self.prng.id("msg_01", 22), self.prng.id("req_01", 22));
        let calls = blocks.iter().any(|block| block["type"] == "tool_use");
        let stop = if calls { "tool_use" } else { "end_turn" };
        let (count, told) = (blocks.len(), self.prng.percent(30));
        let mut message = Value::Null;
        for (i, block) in blocks.into_iter().enumerate() {
            self.tick(200, 3000);
            let last = i + 1 == count;
            let growing = self.growing && !last;
            let output = if growing { 1 + used.output / 100 * i as u64 } else { used.output };
            let stop = if last && told { json!(stop) } else { Value::Null };
            message = json!({
                "model": MODEL, "id": id, "type": "message", "role": "assistant",
                "content": [block], "stop_reason": stop, "stop_sequence": null,
                "usage": usage_of(Used { output, ..used }),
            });
            let mut members = json!({"message": message});
            if self.names_requests {
                members["requestId"] = request.as_str().into();
            }
            self.row("assistant", members);
        }
        self.book.spent(used);
        json!({"requestId": request, "message": message})
    }

    /// What a request uses up.
    fn used(&mut self) -> Used {
        let prng = &mut self.prng;
        let cache_write = prng.range(0, 3000);
        let cache_write_1h = if self.for_an_hour { cache_write - cache_write / 3 } else { 0 };
        Used {
            input: prng.range(1, 900),
            cache_read: prng.range(0, 90_000),
            cache_write,
            cache_write_1h,
            output: prng.range(20, 2000),
            reasoning: 0,
        }
    }

    /// A block of text: the reply of the turn, if nothing is said after it.
    pub(super) fn text(&mut self) -> Value {
        let text = self.settings.reply(&mut self.prng);
        if !self.voice.sidechain {
            self.book.said(&text);
        }
        json!({"type": "text", "text": text})
    }

    pub(super) fn thinking(&mut self) -> Value {
        let signature = self.prng.id("", 40);
        json!({"type": "thinking", "thinking": "", "signature": signature})
    }

    /// A call; its id is in the block.
    pub(super) fn call(&mut self, name: &str, input: &Value) -> Value {
        let id = self.prng.id("toolu_01", 22);
        self.book.called(&id, Some(name));
        json!({"type": "tool_use", "id": id, "name": name, "input": input})
    }

    /// The result of a call, in a row of its own.
    pub(super) fn result(&mut self, call: &Value, ok: bool) {
        let id = call["id"].as_str().unwrap_or_default().to_owned();
        self.book.answered(&id, ok);
        let text = self.prng.text(2, 30);
        let block = json!({
            "tool_use_id": id, "type": "tool_result", "content": text, "is_error": !ok,
        });
        self.user(json!([block]), json!({"toolUseResult": {"stdout": text, "stderr": ""}}));
    }

    /// One request that calls a tool, and the tool's result.
    pub(super) fn step(&mut self) {
        let command = json!({"command": "cargo test -q", "description": "Run the tests"});
        let call = self.call("Bash", &command);
        let mut blocks = vec![self.thinking(), call.clone()];
        if self.prng.percent(50) {
            let text = self.text();
            blocks.insert(1, text);
        }
        self.respond(blocks);
        self.result(&call, true);
    }

    /// The last words of a turn.
    pub(super) fn finish(&mut self) {
        let blocks = vec![self.thinking(), self.text()];
        self.respond(blocks);
        if self.prng.percent(50) {
            self.tick(5, 60);
            let duration = json!({"subtype": "turn_duration", "durationMs": 5200, "isMeta": false});
            self.row("system", duration);
        }
        self.book.close("completed");
    }
}

/// Adds members to an object.
pub(super) fn append(object: &mut Value, members: Value) {
    if let (Value::Object(object), Value::Object(members)) = (object, members) {
        object.extend::<Map<_, _>>(members);
    }
}

fn usage_of(used: Used) -> Value {
    json!({
        "input_tokens": used.input, "cache_creation_input_tokens": used.cache_write,
        "cache_read_input_tokens": used.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": used.cache_write - used.cache_write_1h,
            "ephemeral_1h_input_tokens": used.cache_write_1h,
        },
        "output_tokens": used.output, "service_tier": "standard", "speed": null,
    })
}
