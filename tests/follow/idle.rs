//! Logs that nobody writes to cost nothing.

use super::rows;
use crate::live::child::Child;
use crate::programs::{ALL, EVENTS, TOKENS};
use std::fs;
use std::time::Duration;
use testkit::Workdir;

/// How often the threads of a process have slept and waked.
fn wakes(id: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let status = tasks.filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
    let count = |text: &str| -> Option<u64> {
        let line = text.lines().find(|line| line.starts_with("voluntary_ctxt_switches"))?;
        line.split_whitespace().last()?.parse().ok()
    };
    status.filter_map(|text| count(&text)).sum()
}

/// Waits until a process has done what there is to do at first, and wakes no more than so often in
/// a second.
fn settle(id: u32, most: u64) {
    let mut before = 0;
    for _ in 0..30 {
        std::thread::sleep(Duration::from_secs(1));
        let now = wakes(id);
        if before > 0 && now <= before + most {
            return;
        }
        before = now;
    }
}

/// What is in memory, in KiB.
fn memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

#[test]
fn fifty_idle_files_wake_nobody() {
    if wakes(std::process::id()) == 0 {
        return crate::programs::skip("the system does not tell how often processes wake");
    }
    let long = std::env::var_os("ALOG_FOLLOW_LONG").is_some();
    let time = Duration::from_secs(if long { 300 } else { 3 });
    let dir = Workdir::new();
    for n in 0..50 {
        dir.write(&format!("p{}/{n}.jsonl", n % 7), &rows([n]));
    }
    let path = dir.path().to_str().expect("UTF-8");
    let programs = if long { &[EVENTS][..] } else { &ALL };
    for program in programs {
        for poll in [None, Some("1s")] {
            let args = ["-f", path].into_iter().chain(poll.map(|_| "--poll")).chain(poll);
            let child = Child::on(program, args);
            settle(child.id(), if poll.is_some() { 100 } else { 0 });
            let before = (wakes(child.id()), memory(child.id()));
            std::thread::sleep(time);
            let (woken, grown) = (wakes(child.id()) - before.0, memory(child.id()) - before.1);
            // Looking at directories is spread over the threads of the pool.
            let most = if poll.is_some() { 100 * time.as_secs() } else { 0 };
            assert!(woken <= most, "{program} {poll:?}: woken {woken} times");
            assert!(grown < 512, "{program}: {grown} KiB more");
            if poll.is_none() && *program != EVENTS {
                break;
            }
        }
    }
}

#[test]
fn groups_of_tokens_come_at_the_end() {
    let dir = Workdir::new();
    let log = testkit::LogBuilder::new(5).turns(2).build();
    dir.write("a.jsonl", &log.codex);
    let path = dir.path().to_str().expect("UTF-8");
    let whole = testkit::Cmd::new(TOKENS).args(["--by", "turn", path]).run().expect_code(0);
    let ended = Child::on(TOKENS, ["-f", "--until-idle", "300ms", "--by", "turn", path]).end();
    assert_eq!((ended.rest.as_str(), ended.code), (whole.text(), Some(0)));
}
