//! Content blocks of a message: start, deltas, stop; the calls among them and their results.

use super::Claude;
use super::message::{Request, Step};
use crate::calendar::utc_stamp;
use crate::fault::Fault;
use crate::settings::Detail;
use serde_json::{Map, Value, json};
use std::ops::AddAssign;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    Text,
    Thinking,
    ToolUse { id: String, name: &'static str },
}

#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) kind: BlockKind,
    /// What is streamed, the arguments of a call as JSON text.
    pub(super) text: String,
    /// It breaks off in its middle.
    pub(super) cut: bool,
    /// The rules that it breaks.
    pub(super) codes: Vec<&'static str>,
}

impl Block {
    fn new(kind: BlockKind, text: String) -> Self {
        Self { kind, text, cut: false, codes: Vec::new() }
    }

    pub(super) fn text(text: String) -> Self {
        Self::new(BlockKind::Text, text)
    }

    /// The type of the block, that of its deltas, the key of their text.
    fn names(&self) -> (&'static str, &'static str, &'static str) {
        match self.kind {
            BlockKind::Text => ("text", "text_delta", "text"),
            BlockKind::Thinking => ("thinking", "thinking_delta", "thinking"),
            BlockKind::ToolUse { .. } => ("tool_use", "input_json_delta", "partial_json"),
        }
    }

    fn tool(&self) -> (Option<&str>, Option<&str>) {
        match &self.kind {
            BlockKind::ToolUse { id, name } => (Some(id), Some(name)),
            _ => (None, None),
        }
    }
}

/// What readers can find of a block's deltas.
#[derive(Debug, Default)]
pub(super) struct Seen {
    text: String,
    deltas: usize,
    first: Option<i64>,
    last: i64,
    orphan: bool,
}

impl AddAssign<&Self> for Seen {
    fn add_assign(&mut self, other: &Self) {
        self.text += &other.text;
        self.deltas += other.deltas;
        self.first = self.first.or(other.first);
        self.last = other.last;
    }
}

impl Claude {
    /// The blocks that a step's message holds.
    pub(super) fn blocks(&mut self, step: Step) -> Vec<Block> {
        let settings = self.pen.settings.clone();
        let brief = settings.detail == Detail::Brief;
        let mut blocks = Vec::new();
        if self.pen.prng.percent(if brief { 20 } else { 50 }) {
            let thought = settings.words(&mut self.pen.prng, 3, 30);
            blocks.push(Block::new(BlockKind::Thinking, thought));
        }
        if step == Step::Answer || !brief && self.pen.prng.percent(50) {
            blocks.push(Block::text(settings.words(&mut self.pen.prng, 3, 90)));
        }
        if step != Step::Answer {
            let count =
                if self.pen.fault.is_some() || brief { 1 } else { self.pen.prng.range(1, 3) };
            for _ in 0..count {
                let block = self.tool_use();
                blocks.push(block);
            }
        }
        blocks
    }

    fn tool_use(&mut self) -> Block {
        let settings = self.pen.settings.clone();
        let prng = &mut self.pen.prng;
        let id = prng.id("toolu_01", 22);
        let (name, args) = match prng.range(0, 5) {
            0 => ("Read", json!({"file_path": "/w/app/src/main.rs"})),
            1 => {
                ("Edit", json!({"file_path": "/w/a.rs", "new_string": settings.words(prng, 1, 6)}))
            }
            2 => ("mcp__docs__find", json!({"q": settings.words(prng, 1, 4)})),
            _ => ("Bash", json!({"command": settings.words(prng, 1, 12), "description": "x"})),
        };
        let (name, mut text) = if self.pen.once(Fault::NoArgTool) {
            ("TodoRead", String::new())
        } else {
            (name, args.to_string())
        };
        let bad = self.pen.once(Fault::BadArgs);
        if bad {
            text.pop();
        }
        self.turn.tool_calls += 1;
        let codes = if bad { vec!["bad_args"] } else { Vec::new() };
        Block { codes, ..Block::new(BlockKind::ToolUse { id, name }, text) }
    }

    pub(super) fn block(&mut self, request: &Request, index: usize, block: &Block) {
        let chunks = self.start_block(request, index, block);
        let orphan = chunks.is_empty();
        let chunks = if orphan { vec![block.text.clone()] } else { chunks };
        let mut seen = self.block_deltas(request, index, block, &chunks);
        seen.orphan = orphan;
        if !block.cut {
            self.signature(request, index, block);
            self.stop_block(request, index);
        }
        self.delta_truth(request, index, block, &seen);
    }

    /// Writes the start row, unless it is to be lost: then there are no chunks.
    pub(super) fn start_block(
        &mut self,
        request: &Request,
        index: usize,
        block: &Block,
    ) -> Vec<String> {
        self.pen.tick(1, 40);
        if block.kind == BlockKind::Text && self.pen.once(Fault::DeltaOrphan) {
            return Vec::new();
        }
        let (kind, _, key) = block.names();
        let content = match &block.kind {
            BlockKind::ToolUse { id, name } => {
                json!({"type": kind, "id": id, "name": name, "input": {}})
            }
            _ => json!({"type": kind, key: ""}),
        };
        let start = json!({"index": index, "content_block": content, "request_id": request.id});
        self.row("content_block_start", start);
        let brief = self.pen.settings.detail == Detail::Brief;
        let size = if brief { self.pen.settings.chunk() } else { (2, 22) };
        let mut chunks = self.pen.prng.chunks(&block.text, size);
        if matches!(block.kind, BlockKind::ToolUse { .. }) {
            chunks.insert(0, String::new()); // the first delta of a call is empty
        }
        if block.cut {
            chunks.truncate((chunks.len() / 2).max(1));
        }
        chunks
    }

    pub(super) fn block_deltas(
        &mut self,
        request: &Request,
        index: usize,
        block: &Block,
        chunks: &[String],
    ) -> Seen {
        let (_, kind, key) = block.names();
        let mut seen = Seen { deltas: chunks.len(), text: chunks.concat(), ..Seen::default() };
        for chunk in chunks {
            self.pen.tick(0, 25);
            (seen.first, seen.last) = (seen.first.or(Some(self.pen.ms)), self.pen.ms);
            self.delta_row(request, index, &json!({"type": kind, key: chunk}));
        }
        seen
    }

    fn signature(&mut self, request: &Request, index: usize, block: &Block) {
        if block.kind == BlockKind::Thinking {
            let signature = self.pen.prng.id("", 40);
            let delta = json!({"type": "signature_delta", "signature": signature});
            self.delta_row(request, index, &delta);
        }
    }

    fn delta_row(&mut self, request: &Request, index: usize, delta: &Value) {
        let payload = json!({
            "index": index, "delta_type": delta["type"], "delta": delta, "request_id": request.id,
        });
        self.row("content_block_delta", payload);
    }

    pub(super) fn stop_block(&mut self, request: &Request, index: usize) {
        self.row("content_block_stop", json!({"index": index, "request_id": request.id}));
    }

    pub(super) fn delta_truth(
        &mut self,
        request: &Request,
        index: usize,
        block: &Block,
        seen: &Seen,
    ) {
        let valid =
            seen.text.is_empty() || serde_json::from_str::<Map<String, Value>>(&seen.text).is_ok();
        let tool = matches!(block.kind, BlockKind::ToolUse { .. });
        let status = match () {
            () if seen.orphan => "orphan",
            () if block.cut => "open",
            () if tool && !valid => "invalid_json",
            () => "complete",
        };
        let kind = match block.kind {
            BlockKind::Text => "text",
            BlockKind::Thinking => "reasoning",
            BlockKind::ToolUse { .. } => "tool_args",
        };
        let (call_id, name) = block.tool();
        self.tables.deltas.push(json!({
            "t": seen.first.map(utc_stamp), "provider": "claude", "sid": self.sid, "kind": kind,
            "request_id": request.id, "block_index": index, "call_id": call_id, "name": name,
            "t_last": utc_stamp(seen.last), "deltas": seen.deltas, "status": status,
            "text": seen.text,
        }));
    }

    /// The result of a call, and its row of the truth.
    pub(super) fn result(&mut self, block: &Block) {
        let (Some(id), _) = block.tool() else { return };
        if !self.logs_results {
            return self.call_truth(block, "unanswered", &["missing_output"]);
        }
        let failed = self.pen.fault.is_none() && self.pen.prng.percent(10);
        self.pen.tick(20, 3000);
        if self.pen.once(Fault::MissingOutput) {
            return self.call_truth(block, "unanswered", &["missing_output"]);
        }
        let settings = self.pen.settings.clone();
        let content = settings.words(&mut self.pen.prng, 1, 50);
        let part = json!({
            "tool_use_id": id, "type": "tool_result", "content": content, "is_error": failed,
        });
        let payload = json!({
            "message": {"role": "user", "content": [part]}, "uuid": self.pen.prng.uuid4(),
            "parent_tool_use_id": null, "tool_use_ids": [id], "session_id": self.sid,
            "is_replay": false, "is_api_error": false,
        });
        self.has_results = true;
        let state = if failed { "failed" } else { "completed" };
        if self.pen.once(Fault::DuplicateOutput) {
            self.row("tool_result", payload.clone());
            self.pen.tick(1, 9);
            self.row("tool_result", payload);
            return self.call_truth(block, state, &["duplicate_output"]);
        }
        self.row("tool_result", payload);
        self.call_truth(block, state, &[]);
    }

    pub(super) fn call_truth(&mut self, block: &Block, state: &str, more: &[&'static str]) {
        let (Some(id), Some(name)) = block.tool() else { return };
        let mut codes = [&block.codes[..], more].concat();
        codes.sort_unstable();
        self.tables.calls.push(json!({
            "provider": "claude", "sid": self.sid, "call_id": id, "name": name, "state": state,
            "violations": codes,
        }));
    }
}
