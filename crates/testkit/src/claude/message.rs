//! One request: the message's start, its blocks, its end, and the usage that they report.

use super::Claude;
use super::blocks::{Block, BlockKind};
use crate::fault::Fault;
use serde_json::{Value, json};
use std::ops::AddAssign;

const SMALL_MODEL: &str = "claude-haiku-4-5-20251001";

/// What a request comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Tool calls, which are then carried out.
    Tools,
    /// The turn's answer.
    Answer,
    /// Blocks of which the last one breaks off; the message never ends.
    Cut,
}

/// Token usage as records name it, and the number of requests.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    calls: u64,
    input: u64,
    cache_read: u64,
    cache_write: u64,
    output: u64,
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.input += other.input;
        self.cache_read += other.cache_read;
        self.cache_write += other.cache_write;
        self.output += other.output;
    }
}

impl Spent {
    pub(super) fn json(self) -> Value {
        json!({
            "input_tokens": self.input, "cache_read_tokens": self.cache_read,
            "cache_write_tokens": self.cache_write, "output_tokens": self.output,
            "total_tokens": self.input + self.cache_read + self.cache_write + self.output,
        })
    }

    /// The session's row of the truth; none if there was no request.
    pub(super) fn record(self, sid: &str) -> Option<Value> {
        let mut row = json!({"provider": "claude", "sid": sid, "calls": self.calls});
        row.as_object_mut()?.extend(self.json().as_object()?.clone());
        (self.calls > 0).then_some(row)
    }
}

/// A request that is on its way.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) id: String,
    flow: String,
    spent: Spent,
}

impl Claude {
    /// One request from start to end, and the results of its calls.
    pub(super) fn message(&mut self, step: Step) {
        self.pen.tick(300, 3000);
        let request = self.start_message(self.model);
        let mut blocks = self.blocks(step);
        let cut = step == Step::Cut;
        let last = blocks.len() - 1;
        for (index, block) in blocks.iter_mut().enumerate() {
            block.cut = cut && index == last;
            self.block(&request, index, block);
        }
        if cut {
            return self.abandon(&request, &blocks);
        }
        self.end_message(request, if step == Step::Answer { "end_turn" } else { "tool_use" });
        for block in &blocks {
            match &block.kind {
                BlockKind::ToolUse { .. } => self.result(block),
                BlockKind::Text => self.turn.reply = Some(block.text.clone()),
                BlockKind::Thinking => {}
            }
        }
    }

    pub(super) fn start_message(&mut self, model: &str) -> Request {
        let prng = &mut self.pen.prng;
        let (id, flow) = (prng.id("req_01", 22), prng.id("msg_01", 22));
        let spent = Spent {
            calls: 1,
            input: prng.range(1, 900),
            cache_read: prng.range(0, 90_000),
            cache_write: prng.range(0, 5000),
            output: prng.range(1, 5),
        };
        self.flow.clone_from(&flow);
        self.turn.responses += 1;
        let usage = json!({
            "input_tokens": spent.input, "cache_creation_input_tokens": spent.cache_write,
            "cache_read_input_tokens": spent.cache_read, "output_tokens": spent.output,
        });
        let message = json!({
            "id": flow, "type": "message", "role": "assistant", "model": model, "content": [],
            "stop_reason": null, "usage": usage,
        });
        let start = json!({"message": message, "request_id": id});
        if self.pen.once(Fault::DoubledMessageStart) {
            self.row("message_start", start.clone());
        }
        self.row("message_start", start);
        Request { id, flow, spent }
    }

    pub(super) fn end_message(&mut self, mut request: Request, reason: &str) {
        self.pen.tick(1, 20);
        let output = self.pen.prng.range(10, 2500);
        if self.pen.prng.percent(30) {
            self.message_delta(&request.id, None, output / 2);
        }
        self.message_delta(&request.id, Some(reason), output);
        self.row("message_stop", json!({"request_id": request.id}));
        request.spent.output = output;
        self.count(request.spent);
    }

    fn message_delta(&mut self, request_id: &str, reason: Option<&str>, output: u64) {
        let delta = json!({"stop_reason": reason, "stop_sequence": null});
        let usage = json!({"output_tokens": output});
        let payload = json!({"delta": delta, "usage": usage, "request_id": request_id});
        self.row("message_delta", payload);
    }

    fn count(&mut self, spent: Spent) {
        self.spent += spent;
        self.turn.spent += spent;
    }

    /// The request never ends: what its start said is all that is known of its cost.
    fn abandon(&mut self, request: &Request, blocks: &[Block]) {
        self.count(request.spent);
        for block in blocks {
            let state = self.turn.fate.of_call();
            self.call_truth(block, state, &[]);
        }
    }

    /// A small request beside the turn's story, which breaks off in its text.
    pub(super) fn abandoned_flow(&mut self) {
        self.pen.tick(50, 400);
        let request = self.start_message(SMALL_MODEL);
        let text = self.pen.prng.text(20, 40);
        self.block(&request, 0, &Block { cut: true, ..Block::text(text) });
        self.abandon(&request, &[]);
    }

    /// A sub-agent's request: only text, and its own end of turn.
    pub(super) fn sub_agent(&mut self) {
        self.pen.tick(50, 400);
        let main = self.flow.clone();
        let request = self.start_message(SMALL_MODEL);
        let text = self.pen.prng.text(5, 20);
        self.block(&request, 0, &Block::text(text));
        self.end_message(request, "end_turn");
        self.row("turn_end", json!({"reason": "synthetic_stop_hook"}));
        self.flow = main;
    }

    /// Two requests at once; the first one's last deltas are logged under the second one's flow.
    pub(super) fn overlapping(&mut self) {
        self.pen.tick(50, 400);
        let small = self.start_message(SMALL_MODEL);
        let text = self.pen.prng.text(30, 40);
        let block = Block::text(text);
        let mut chunks = self.start_block(&small, 0, &block);
        let tail = chunks.split_off(chunks.len() / 2);
        let mut seen = self.block_deltas(&small, 0, &block, &chunks);
        let big = self.start_message(self.model);
        seen += &self.block_deltas(&small, 0, &block, &tail);
        self.stop_block(&small, 0);
        self.delta_truth(&small, 0, &block, &seen);
        self.end_message(small, "end_turn");
        let answer = Block::text(self.pen.prng.text(5, 40));
        self.flow.clone_from(&big.flow);
        self.block(&big, 0, &answer);
        self.end_message(big, "end_turn");
        self.turn.reply = Some(answer.text);
    }
}
