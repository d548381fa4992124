//! What is told in two files counts once.

use super::Home;
use crate::programs::{CALLS, PROMPTS, TOKENS, TURNS, column};
use serde_json::Value;
use std::path::Path;
use testkit::{Cmd, NativeBuilder, NativeCase, differences};

fn tokens(paths: &[&Path]) -> Vec<Value> {
    Cmd::new(TOKENS).args(["--by", "session"]).args(paths).run().expect_code(0).rows()
}

/// The home of one thread and what a case makes of it, the thread's file and the other one.
fn kin(case: NativeCase, seed: u64) -> (Home, String, String) {
    let builder = NativeBuilder::new(seed).claude_sessions(0).codex_threads(1).case(case);
    let home = Home::new(&builder);
    let mut paths: Vec<String> = home.log.files.iter().map(|file| file.path.clone()).collect();
    assert_eq!(paths.len(), 2);
    let other = paths.pop().expect("the later file");
    let first = paths.pop().expect("the first thread");
    (home, first, other)
}

#[test]
fn a_fork_alone_and_with_its_parent() {
    for case in [NativeCase::ForkOriginalTimes, NativeCase::ForkBurst] {
        for seed in 60..64 {
            let (home, first, fork) = kin(case, seed);
            let (first, fork) = (home.path(&first), home.path(&fork));
            let truth = &home.log.truth.tokens;
            let alone = tokens(&[&fork]);
            assert_eq!(alone.len(), 1, "{case:?}: {alone:?}");
            let own: Vec<Value> =
                truth.iter().filter(|row| row["sid"] == alone[0]["sid"]).cloned().collect();
            assert_eq!(differences(&own, &alone, &["sid"]), Vec::<String>::new(), "{case:?}");
            for paths in [[&*first, &*fork], [&*fork, &*first]] {
                let both = tokens(&paths);
                assert_eq!(differences(truth, &both, &["sid"]), Vec::<String>::new(), "{case:?}");
            }
            for (program, table) in [
                (PROMPTS, &home.log.truth.prompts),
                (TURNS, &home.log.truth.turns),
                (CALLS, &home.log.truth.calls),
            ] {
                let count = Cmd::new(program).arg(&fork).run().expect_code(0).rows().len();
                let own = table.iter().filter(|row| row["sid"] == alone[0]["sid"]).count();
                assert_eq!(count, own, "{program} {case:?}");
            }
        }
    }
}

#[test]
fn a_sub_agent_counts_for_its_parent_alone_or_with_it() {
    for case in [NativeCase::SubAgent, NativeCase::SubAgentFork] {
        let (home, first, agent) = kin(case, 65);
        let (first, agent) = (home.path(&first), home.path(&agent));
        let sum = |rows: &[Value]| -> u64 {
            rows.iter().map(|row| row["total_tokens"].as_u64().expect("a sum")).sum()
        };
        let truth = &home.log.truth.tokens;
        let (parent, child) = (tokens(&[&first]), tokens(&[&agent]));
        assert_eq!(column(&child, "sid"), column(&parent, "sid"), "{case:?}");
        assert_eq!(sum(&parent) + sum(&child), sum(truth), "{case:?}");
        assert!(sum(&child) > 0);
    }
}

#[test]
fn an_archived_or_compressed_copy_is_read_once() {
    for case in [NativeCase::ArchivedCopy, NativeCase::CompressedTwin] {
        let home = Home::new(&NativeBuilder::new(66).claude_sessions(0).case(case));
        let mut copies: Vec<&str> = Vec::new();
        for file in home.log.files.iter().filter(|file| file.is_copy) {
            copies.push(&file.path);
        }
        assert_eq!(copies.len(), 1, "{case:?}");
        let want = home.run(CALLS, &[]).expect_code(0);
        let copy = home.dir.path().join(copies[0]);
        std::fs::remove_file(&copy).expect("the copy");
        let without = home.run(CALLS, &[]).expect_code(0);
        assert_eq!(want.stdout, without.stdout, "{case:?}");
        assert_eq!(home.untrue(), Vec::<String>::new(), "{case:?}");
    }
}

/// Everything wrong with a session whose files are there again, in another project's folder.
fn doubled(cases: &[NativeCase]) -> Vec<String> {
    let home = Home::new(&NativeBuilder::new(67).codex_threads(0).cases(cases));
    for file in &home.log.files {
        let path = file.path.replace("projects/-w-app", "projects/-w-other");
        home.dir.write(&path, &file.bytes);
    }
    home.untrue()
}

#[test]
fn a_transcript_that_is_there_twice_counts_once() {
    assert_eq!(doubled(&NativeCase::CLAUDE_TURNS), Vec::<String>::new());
}

#[test]
fn what_was_dropped_says_why() {
    let builder = NativeBuilder::new(68).cases(&[
        NativeCase::GrowingOutput,
        NativeCase::SideQuestion,
        NativeCase::AgentProgress,
        NativeCase::ResumeRewritten,
        NativeCase::Reemitted,
        NativeCase::CompactCounts,
        NativeCase::ForkBurst,
        NativeCase::UsageRecords,
    ]);
    let home = Home::new(&builder);
    let records = home.run(TOKENS, &["--explain"]).expect_code(0).rows();
    let mut dropped = 0;
    for record in &records {
        let rows = record["rows"].as_array().expect("its rows");
        let mut sum = 0;
        for row in rows {
            let is_dropped = row["use"].as_str().expect("its use").starts_with("dropped");
            assert_eq!(row.get("total_tokens").is_none(), is_dropped, "{row}");
            sum += row["total_tokens"].as_u64().unwrap_or_default();
            dropped += u64::from(is_dropped);
        }
        assert_eq!(record["total_tokens"], sum, "{}", record["sid"]);
    }
    assert!(dropped > 20, "{dropped}");
}
