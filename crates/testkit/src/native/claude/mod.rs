//! The transcripts of Claude Code: one file a session, and those of its sub-agents.

mod agents;
mod files;
mod pen;
mod queue;
mod turns;

use super::book::NativeTruth;
use super::case::NativeCase;
use super::sheet::{NativeFile, NativeStyle, Sheet};
use super::{Part, Settings};
use crate::prng::Prng;
use pen::Pen;
use serde_json::{Value, json};

/// Writes the transcripts, and adds to the truth what they say.
pub(super) fn write(
    mut prng: Prng,
    part: &Part<'_>,
    style: NativeStyle,
    truth: &mut NativeTruth,
) -> Vec<NativeFile> {
    let mut pens = Vec::new();
    for nth in 0..part.sessions {
        let own = Prng::new(prng.bits());
        pens.push(session(own, nth, part, &mut prng));
    }
    let mut sheets = Vec::new();
    if let Some(first) = pens.first().cloned() {
        for case in NativeCase::CLAUDE_FILES.into_iter().filter(|case| part.has(*case)) {
            let added = files::add(case, &first, Prng::new(prng.bits()));
            sheets.extend(added.sheets);
            pens.extend(added.pen);
        }
    }
    for pen in pens {
        sheets.extend(pen.sheets);
        pen.book.tell(truth);
    }
    sheets.iter().map(|sheet| sheet.file(style)).collect()
}

/// The id of a session; later ones sort behind.
fn sid(nth: usize, prng: &mut Prng) -> String {
    format!("{nth:02x}{}", &prng.uuid4()[2..])
}

fn session(own: Prng, nth: usize, part: &Part<'_>, prng: &mut Prng) -> Pen {
    let mut pen = Pen::new(own, part.start_of(nth), &sid(0x10 + nth, prng), &part.settings);
    plain(&mut pen, &part.settings);
    if nth == 0 {
        for case in NativeCase::CLAUDE_TURNS.into_iter().filter(|case| part.has(*case)) {
            turns::write(&mut pen, case);
        }
        end(&mut pen, part);
    }
    pen.sheets[0].ended = !(part.has(NativeCase::NoFinalNewline) && nth + 1 == part.sessions);
    if nth == 0 && part.has(NativeCase::TornTail) {
        pen.sheets[0].torn(lost());
        pen.sheets[0].ended = false;
    }
    pen
}

fn plain(pen: &mut Pen, settings: &Settings) {
    for _ in 0..settings.turns {
        pen.prompt();
        for _ in 0..pen.prng.range(1, 2) {
            pen.step();
        }
        pen.finish();
    }
}

/// Damage in the middle, and a turn that is still going on.
fn end(pen: &mut Pen, part: &Part<'_>) {
    let sheet: &mut Sheet = &mut pen.sheets[0];
    if part.has(NativeCase::TornMiddle) {
        sheet.torn(lost());
    }
    if part.has(NativeCase::BlankLines) {
        sheet.blank();
        sheet.blank();
    }
    if part.has(NativeCase::OpenTurn) {
        pen.prompt();
        pen.step();
        let call = pen.call("Read", &json!({"file_path": "/w/app/src/lib.rs"}));
        pen.respond(vec![call]);
    }
}

/// A row that its writer never finished.
fn lost() -> Value {
    json!({
        "type": "assistant", "uuid": "00000000-0000-4000-8000-00000000dead",
        "message": {"id": "msg_lost", "role": "assistant", "model": pen::MODEL,
            "content": [{"type": "text", "text": "this is cut short somewhere"}],
            "usage": {"input_tokens": 7, "output_tokens": 9}},
    })
}
