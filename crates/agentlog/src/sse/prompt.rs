//! Prompts and the prompt queue in SSE rows.

use super::inner::member_or_empty;
use super::{Row, member};
use crate::event::{Prompt, PromptForm, Queue, Turn, What};
use crate::json::{self, Kind, Text, Value};

/// Event names whose rows hold prompts, or what becomes of them.
pub const PROMPT_EVENTS: [&str; 4] =
    ["turn.user_message", "codex.user_prompt", "claude.user_prompt", "claude.queue_operation"];

/// The prompt or queue operation in a row, if it is one.
pub fn prompt_of(row: &Row<'_>) -> Option<What> {
    let form = match &*row.name {
        "turn.user_message" => PromptForm::CodexMessage,
        "codex.user_prompt" => PromptForm::CodexPrompt,
        "claude.user_prompt" => PromptForm::Claude,
        "claude.queue_operation" => return queue_of(row).map(What::Queue),
        _ => return None,
    };
    let mut said = Said::default();
    if let Some(payload) = row.inner.payload {
        said.read(payload);
    }
    if said.text.is_none() {
        // Older writers: `payload` is the text itself.
        said.text = row.inner.wrapped.and_then(|v| v.text());
    }
    if form == PromptForm::Claude && said.text.as_ref().is_some_and(is_interruption) {
        return Some(What::Turn(Turn::Aborted));
    }
    let message_uuid = row.inner.member("message_uuid").and_then(|v| v.str());
    Some(What::Prompt(Prompt {
        form,
        text: said.text,
        images: said.images,
        message_uuid: message_uuid.map(String::from),
    }))
}

/// Whether Claude's logger wrote the text, in the user's name, because the user interrupted it:
/// `[Request interrupted by user]`, or the same with more before the `]`, such as ` for tool use`.
fn is_interruption(text: &Text) -> bool {
    let text = text.as_bytes();
    text.starts_with(b"[Request interrupted by user") && text.ends_with(b"]")
}

fn queue_of(row: &Row<'_>) -> Option<Queue> {
    let operation = row.inner.member("operation")?.str()?;
    let mut said = Said::default();
    if let Some(content) = row.inner.member("content") {
        said.read_content(content);
    }
    let text = said.text.unwrap_or_default();
    match &*operation {
        "enqueue" => Some(Queue::Enqueue(text)),
        "dequeue" => Some(Queue::Dequeue(text)),
        "remove" => Some(Queue::Remove(text)),
        "popAll" => Some(Queue::PopAll),
        _ => None,
    }
}

/// What a payload says.
#[derive(Default)]
struct Said {
    text: Option<Text>,
    images: Option<u64>,
}

impl Said {
    /// `{message|text|prompt: content, images: […]}`, where content may be wrapped once more as
    /// `{content: …}`.
    fn read(&mut self, payload: Value<'_>) {
        for key in ["message", "text", "prompt"] {
            if let Some(value) = member_or_empty(payload, key) {
                self.read_content(value);
                break;
            }
        }
        for key in ["images", "local_images"] {
            let Some(list) = member(payload, key) else { continue };
            let mut count = 0;
            if list.kind == Kind::Array && json::items(list.raw, |_| count += 1).is_ok() {
                self.images = Some(self.images.unwrap_or(0) + count);
            }
        }
    }

    /// Text, or blocks of text and images, or an object with `content`.
    fn read_content(&mut self, content: Value<'_>) {
        match content.kind {
            Kind::String { .. } => self.text = content.text(),
            Kind::Object => {
                if let Some(inner) = member_or_empty(content, "content") {
                    self.read_content(inner);
                }
            }
            Kind::Array => {
                let (mut text, mut images) = (None::<Text>, 0);
                let _ = json::items(content.raw, |block| match block_of(block) {
                    Block::Text(more) => match &mut text {
                        None => text = Some(more),
                        Some(text) => {
                            text.push_str("\n");
                            text.push(&more);
                        }
                    },
                    Block::Image => images += 1,
                    Block::Other => {}
                });
                self.text = text.or_else(|| (images > 0).then(Text::default));
                self.images = Some(images);
            }
            _ => {}
        }
    }
}

enum Block {
    Text(Text),
    Image,
    Other,
}

fn block_of(block: Value<'_>) -> Block {
    if block.is_string() {
        return block.text().map_or(Block::Other, Block::Text);
    }
    let kind = member(block, "type").and_then(|v| v.str()).unwrap_or_default();
    match &*kind {
        "image" | "input_image" | "local_image" => Block::Image,
        _ => member(block, "text").and_then(|v| v.text()).map_or(Block::Other, Block::Text),
    }
}
