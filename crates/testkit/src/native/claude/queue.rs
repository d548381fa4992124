//! Prompts that a Claude user types while the agent works, and what becomes of them.

use super::super::NativeCase;
use super::pen::Pen;
use crate::calendar::utc_stamp;
use serde_json::{Value, json};

/// A turn during which something is queued.
pub(super) fn write(pen: &mut Pen, case: NativeCase) {
    pen.prompt();
    pen.step();
    let text = match case {
        NativeCase::QueuedNotice => "<task-notification>b2 is done</task-notification>".to_owned(),
        _ => format!("and also: {}", pen.next_text()),
    };
    change(pen, "enqueue", Some(&text));
    let typed = pen.now;
    pen.step();
    match case {
        NativeCase::QueuedThenPrompt => {
            pen.finish();
            change(pen, "dequeue", None);
            pen.prompt_of(&text, json!(text), json!({}));
        }
        NativeCase::QueuePopped => {
            change(pen, "popAll", Some(&text));
            pen.finish();
            let edited = format!("{text}, after all");
            pen.prompt_of(&edited, json!(edited), json!({}));
        }
        NativeCase::QueuedRemoved => {
            change(pen, "remove", None);
            pen.book.queued(typed, &text);
        }
        NativeCase::QueuedAttachment => {
            change(pen, "remove", None);
            attachment(pen, &text);
            pen.book.queued(typed, &text);
        }
        _ => {
            change(pen, "remove", None);
            attachment(pen, &text);
        }
    }
    pen.step();
    pen.finish();
}

fn change(pen: &mut Pen, operation: &str, content: Option<&str>) {
    pen.tick(300, 2500);
    let mut row = json!({
        "type": "queue-operation", "operation": operation, "timestamp": utc_stamp(pen.now),
        "sessionId": pen.book.sid,
    });
    if let Some(content) = content {
        row["content"] = Value::from(content);
    }
    pen.state(row);
}

fn attachment(pen: &mut Pen, text: &str) {
    pen.tick(5, 400);
    pen.row("attachment", json!({"attachment": {"type": "queued_command", "prompt": text}}));
}
