//! Files beside the transcripts of a log's own sessions: resumed sessions, and what is none.

use super::super::NativeCase;
use super::super::sheet::Sheet;
use super::pen::Pen;
use super::{plain, sid};
use crate::prng::Prng;
use serde_json::{Value, json};

/// What a case adds: a session, or files that say nothing.
#[derive(Default)]
pub(super) struct Added {
    pub(super) pen: Option<Pen>,
    pub(super) sheets: Vec<Sheet>,
}

/// Writes what a case adds to the first session.
pub(super) fn add(case: NativeCase, first: &Pen, mut prng: Prng) -> Added {
    let project = ".claude/projects/-w-app";
    match case {
        NativeCase::WorkflowJournal => {
            let folder = format!("{project}/{}/subagents/workflows/run-1", first.book.sid);
            let mut sheet = Sheet::new(format!("{folder}/journal.jsonl"));
            sheet.row(json!({"type": "started", "key": "v2:1", "agentId": "a1"}));
            sheet.row(json!({
                "type": "result", "key": "v2:1", "agentId": "a1", "result": {"found": "x"},
            }));
            Added { sheets: vec![sheet], ..Added::default() }
        }
        NativeCase::EmptyFile => {
            let path = format!("{project}/{}.jsonl", sid(0xee, &mut prng));
            Added { sheets: vec![Sheet::new(path)], ..Added::default() }
        }
        _ => Added { pen: Some(resumed(case, first, prng)), ..Added::default() },
    }
}

/// A session that goes on where the first one ended.
fn resumed(case: NativeCase, first: &Pen, mut prng: Prng) -> Pen {
    // Copies that keep whose rows they are may stand in front of their originals; of others only
    // the place tells which was first.
    let place = match case {
        NativeCase::ResumeCopied => 5,
        NativeCase::ResumeRewritten => 0xa0,
        _ => 0xa1,
    };
    let new = sid(place, &mut prng);
    let start = first.now + 60_000 + prng.range(0, 9000) as i64;
    let mut pen = Pen::new(prng, start, &new, &first.settings);
    pen.voice.parent.clone_from(&first.voice.parent);
    if case != NativeCase::ResumeLinked {
        let history = first.sheets[0].rows();
        for mut row in history.into_iter().filter(|row| row.get("uuid").is_some()) {
            if case == NativeCase::ResumeRewritten {
                row["sessionId"] = Value::from(new.as_str());
            }
            pen.sheets[0].row(row);
        }
    }
    plain(&mut pen, &first.settings);
    pen
}
