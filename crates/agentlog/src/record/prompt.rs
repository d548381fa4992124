//! `alog.prompt/1`: something the user said.

use super::{Field, ROWS, RecordKind, RecordWriter, Shape, SrcPath, Values, field, key};
use crate::fold::prompts::Prompt;

/// The record of `alog-prompts`.
pub const PROMPT: RecordKind = RecordKind {
    schema: "alog.prompt/1",
    about: "a prompt of the user",
    own: OWN,
    table: &["t", "provider", "sid", "cwd", "kind", "text"],
    rows: Some(&ROWS),
    is_final: None,
};

const OWN: &[Field] = &[
    field("kind", Shape::OneOf(&["prompt", "queued", "command"]), "how it was given"),
    field("text", Shape::Text, "what was typed; null if its row was cut short"),
    field("images", Shape::Count, "how many images came with it"),
    field("session_turn", Shape::Count, "ordinal of the prompt in its session, from 1"),
];

/// Appends a whole record. `paths` holds the path of each file of the input.
pub fn prompt_into(
    prompt: &Prompt,
    index: u64,
    paths: &[SrcPath],
    explain: bool,
    out: &mut Vec<u8>,
) {
    let mut record = RecordWriter::begin(out, PROMPT.schema, index, prompt.t);
    prompt_values(prompt, paths, &mut record);
    if explain {
        record.rows(paths, &prompt.rows);
    }
    record.end();
}

/// The values behind `t`, `src` among them.
pub fn prompt_values(prompt: &Prompt, paths: &[SrcPath], record: &mut impl Values) {
    record.head(&prompt.head);
    record.name(key!("kind"), Some(prompt.kind.name()));
    record.text(key!("text"), prompt.text.as_ref());
    record.int(key!("images"), prompt.images.map(|n| n as i64));
    record.int(key!("session_turn"), prompt.session_turn.map(|n| n as i64));
    record.src(paths, &prompt.src);
}
