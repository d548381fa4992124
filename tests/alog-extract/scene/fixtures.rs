//! What each mode prints of the scene, byte by byte as it was committed: no output changes unseen.

use super::Played;
use crate::programs::{EXTRACT, repository};
use std::fs;
use testkit::{Cmd, Workdir};

#[test]
fn modes_print_what_the_fixtures_hold() {
    let (played, out) = (Played::new(), Workdir::new());
    let to = out.path().display().to_string();
    let run = Cmd::new(EXTRACT).cwd(played.dir.path()).args(["--mode", "all", "--zone", "UTC"]);
    let run = run.args(["--out-dir", &to, "codex", "claude", "native"]);
    let _ = run.run().expect_code(0);
    for told in &played.truth.modes {
        let name = format!("{}.jsonl", told.mode);
        let kept = fs::read_to_string(repository().join("tests/fixtures/extract").join(&name));
        let printed = fs::read_to_string(out.path().join(&name)).expect("the mode's file");
        let kept = kept.unwrap_or_default();
        let first = kept.lines().zip(printed.lines()).find(|(kept, printed)| kept != printed);
        assert!(kept == printed, "{name}: make docs writes it again; {first:#?}");
    }
}
