//! One request to the model and what it streams back.

use super::Codex;
use super::stream::{Item, Kind};
use super::turn::Fate;
use crate::fault::Fault;
use crate::settings::Detail;
use serde_json::{Map, Value, json};

/// What a request comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Tool calls, which are then carried out.
    Tools,
    /// The turn's answer.
    Answer,
    /// A text that breaks off.
    CutText,
    /// A tool call that nobody answers.
    CutCall,
}

/// The state of one response's stream.
#[derive(Debug, Default)]
pub(super) struct Response {
    id: String,
    pub(super) sequence: u64,
    pub(super) index: u64,
    pub(super) items: Vec<Value>,
}

impl Codex {
    pub(super) fn brief(&self) -> bool {
        self.pen.settings.detail == Detail::Brief
    }

    pub(super) fn response(&mut self, step: Step) {
        self.pen.tick(50, 900);
        let mut response = self.open_response();
        let several = self.pen.on(Fault::SeveralParts);
        if several || self.pen.prng.percent(if self.brief() { 20 } else { 70 }) {
            let item = self.reasoning(if several { 3 } else { 1 });
            self.stream(&mut response, &item);
        }
        match step {
            Step::Answer => {
                let parts = if several { 2 } else { 1 };
                self.message(&mut response, parts);
                self.finish(&response);
            }
            Step::CutText => {
                let item = self.text_item(1, true);
                self.stream(&mut response, &item);
            }
            Step::Tools | Step::CutCall => {
                if !self.brief() && self.pen.prng.percent(20) {
                    self.message(&mut response, 1);
                }
                let calls = self.announce(&mut response);
                self.finish(&response);
                for call in calls {
                    self.answer_call(&call, step == Step::CutCall);
                }
            }
        }
    }

    fn open_response(&mut self) -> Response {
        let mut response = Response { id: self.pen.prng.id("resp_", 32), ..Response::default() };
        self.turn.responses += 1;
        let head = json!({
            "id": response.id, "object": "response", "status": "in_progress", "model": self.model,
        });
        self.frame(&mut response, "response.created", &json!({"response": head}));
        if !self.brief() {
            self.frame(&mut response, "response.in_progress", &json!({"response": head}));
        }
        response
    }

    /// A row of the stream with its sequence number.
    pub(super) fn frame(&mut self, response: &mut Response, event: &str, payload: &Value) {
        response.sequence += 1;
        let mut body = Map::from_iter([("sequence_number".into(), json!(response.sequence))]);
        body.insert("output_index".into(), json!(response.index));
        if payload.get("response").is_some() {
            body.remove("output_index");
        }
        body.extend(payload.as_object().cloned().unwrap_or_default());
        self.stream_row(event, Value::Object(body));
    }

    fn reasoning(&mut self, parts: usize) -> Item {
        let parts = self.parts(parts, (4, 25));
        let summary: Vec<Value> =
            parts.iter().map(|text| json!({"type": "summary_text", "text": text})).collect();
        let id = self.pen.prng.id("rs_", 30);
        let done = json!({"id": id, "type": "reasoning", "summary": summary});
        Item { kind: Kind::Reasoning, id, done, parts, final_text: None, cut: false, late: false }
    }

    fn text_item(&mut self, parts: usize, cut: bool) -> Item {
        let parts = self.parts(parts, (5, 120));
        let content: Vec<Value> =
            parts.iter().map(|text| json!({"type": "output_text", "text": text})).collect();
        let id = self.pen.prng.id("msg_", 30);
        let done = json!({
            "id": id, "type": "message", "status": "completed", "role": "assistant",
            "content": content,
        });
        Item { kind: Kind::Text, id, done, parts, final_text: None, cut, late: false }
    }

    fn parts(&mut self, count: usize, (low, high): (u64, u64)) -> Vec<String> {
        let settings = self.pen.settings.clone();
        (0..count).map(|_| settings.words(&mut self.pen.prng, low, high)).collect()
    }

    /// A whole assistant message with the rows that repeat it.
    fn message(&mut self, response: &mut Response, parts: usize) {
        let item = self.text_item(parts, false);
        self.stream(response, &item);
        let text = item.parts.concat();
        self.turn_row("turn.agent_message", json!({"message": text}));
        if !self.brief() {
            let id = self.pen.prng.id("m", 8);
            let content = json!([{"type": "Text", "text": text}]);
            let message = json!({"type": "AgentMessage", "id": id, "content": content});
            self.item_row("turn.item.completed", &message);
        }
        self.turn.reply = Some(text);
        self.turn.replies += 1;
    }

    /// The end of the response, its items once more as a whole, and what it cost.
    fn finish(&mut self, response: &Response) {
        let last = self.usage();
        self.pen.tick(1, 30);
        let usage = json!({
            "input_tokens": last.input, "input_tokens_details": {"cached_tokens": last.cached},
            "output_tokens": last.output,
            "output_tokens_details": {"reasoning_tokens": last.reasoning},
            "total_tokens": last.total,
        });
        let whole = json!({
            "id": response.id, "object": "response", "status": "completed", "model": self.model,
            "output": [], "usage": usage,
        });
        let sequence = response.sequence + 1;
        let payload = json!({"sequence_number": sequence, "response": whole});
        self.stream_row("response.completed", payload);
        for item in &response.items {
            if !self.brief() || item.get("call_id").is_some() {
                self.raw_item(item);
            }
        }
        self.token_rows(last);
    }

    fn raw_item(&mut self, item: &Value) {
        let mut item = item.clone();
        if let Some(map) = item.as_object_mut() {
            map.remove("id");
        }
        let payload = json!({"item": item});
        if item["call_id"].as_str().is_some_and(|id| self.turn.doubled.as_deref() == Some(id)) {
            self.turn_row("turn.raw_response_item", payload.clone());
        }
        self.turn_row("turn.raw_response_item", payload);
    }

    /// The state of a call that gets no result in this turn.
    pub(super) fn unanswered(&self) -> &'static str {
        let fate: Fate = self.turn.fate;
        fate.of_call()
    }
}
