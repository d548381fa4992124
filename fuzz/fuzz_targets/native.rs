//! Any bytes as a row of a transcript or rollout: it is read as `serde_json` reads it, or not at
//! all, and whatever it tells has a needle in it.
#![no_main]

use agentlog::native::{Row, Thread, Wants, user_row};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(row) = Row::parse(bytes) else { return };
    let (mut arena, mut thread, mut told) = (Vec::new(), Thread::default(), 0);
    row.decode(Wants::ALL, &mut arena, &mut |what, _| {
        thread.row(None, &what);
        told += 1;
    });
    let (_, _, _) = (row.name(), row.head(), user_row(&row));
    // Keys are plain ASCII, and so are their texts.
    let text = String::from_utf8_lossy(bytes);
    let needles = Wants::ALL.needles(row.dialect);
    assert!(told == 0 || text.contains("\\u") || needles.iter().any(|needle| text.contains(needle)));
});
