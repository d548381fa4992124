//! The rollouts of Codex: one file a thread, of which some tell again what others told.

mod files;
mod pen;
mod turns;

use super::book::NativeTruth;
use super::case::NativeCase;
use super::sheet::{NativeFile, NativeStyle};
use super::{Part, Settings};
use crate::prng::Prng;
use pen::{Form, Pen};
use serde_json::{Value, json};

/// Writes the rollouts, and adds to the truth what they say.
pub(super) fn write(
    mut prng: Prng,
    part: &Part<'_>,
    style: NativeStyle,
    truth: &mut NativeTruth,
) -> Vec<NativeFile> {
    let mut files = Vec::new();
    let mut first = None;
    for nth in 0..part.sessions {
        let mut pen = thread(Prng::new(prng.bits()), nth, part);
        if nth == 0 {
            for case in NativeCase::CODEX_FILES.into_iter().filter(|case| part.has(*case)) {
                let own = Prng::new(prng.bits());
                files.extend(files::add(case, &mut pen, own, style, truth));
            }
            first = Some(pen);
            continue;
        }
        files.push(pen.sheet.file(style));
        pen.book.tell(truth);
    }
    if let Some(mut first) = first {
        end(&mut first, part);
        files.push(first.sheet.file(style));
        if part.has(NativeCase::ArchivedCopy) {
            files.push(files::archived(&first.sheet.file(style)));
        }
        first.book.tell(truth);
    }
    files
}

fn thread(prng: Prng, nth: usize, part: &Part<'_>) -> Pen {
    let mut pen = Pen::new(prng, part.start_of(nth), &part.settings, Form::Events);
    pen.begin(&json!({}));
    let context = "<environment_context>\n  <cwd>/w/app</cwd>\n</environment_context>";
    pen.message("user", context);
    plain(&mut pen, &part.settings);
    if nth == 0 {
        for case in NativeCase::CODEX_TURNS.into_iter().filter(|case| part.has(*case)) {
            turns::write(&mut pen, case);
        }
    }
    pen.sheet.ended = !(part.has(NativeCase::NoFinalNewline) && nth + 1 == part.sessions);
    pen
}

fn plain(pen: &mut Pen, settings: &Settings) {
    for _ in 0..settings.turns {
        pen.open();
        for _ in 0..pen.prng.range(1, 2) {
            pen.step();
        }
        pen.finish();
    }
}

/// Damage, and a turn that is still going on.
fn end(pen: &mut Pen, part: &Part<'_>) {
    let lost = json!({
        "timestamp": "2026-02-10T09:00:00.000Z", "type": "event_msg",
        "payload": {"type": "agent_message", "message": "this is cut short somewhere"},
    });
    if part.has(NativeCase::TornMiddle) {
        pen.sheet.torn(lost.clone());
    }
    if part.has(NativeCase::BlankLines) {
        pen.sheet.blank();
        pen.sheet.blank();
    }
    if part.has(NativeCase::OpenTurn) {
        pen.open();
        pen.step();
        pen.call("exec_command", &json!({"cmd": "make"}));
    }
    if part.has(NativeCase::TornTail) {
        pen.sheet.torn(lost);
        pen.sheet.ended = false;
    }
}

/// Adds members to an object.
fn append(object: &mut Value, members: Value) {
    if let (Value::Object(object), Value::Object(members)) = (object, members) {
        object.extend(members);
    }
}
