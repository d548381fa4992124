//! One thread, a log in memory: what it costs to find the lines and the words in them, with what
//! this crate uses and with what it could use instead.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::naive_bytecount)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aho_corasick::AhoCorasick;
use jsonl::{Block, Needles};
use memchr::memmem;
use testkit::LogBuilder;

/// How long a search runs.
const TIME: Duration = Duration::from_secs(1);

/// The words that prompts are found by.
const WORDS: [&str; 4] = ["user_message", "user_prompt", "queue_operation", "session_configured"];

fn main() {
    let log = LogBuilder::new(7).claude_sessions(0).codex_sessions(12).turns(8).build().codex;
    let log = log.repeat(8); // more than a processor's cache holds
    let block = Block { bytes: &log, offset: 0, oversize: None, max_line: u64::MAX };
    let hit = |line: &[u8]| WORDS.iter().any(|word| memmem::find(line, word.as_bytes()).is_some());
    let want = log.split(|b| *b == b'\n').filter(|line| hit(line)).count();
    println!(
        "{:.1} MB, {want} lines with one of {} words, one thread",
        megabytes(&log),
        WORDS.len()
    );

    let packed = Needles::new(&WORDS).unwrap();
    let one = Needles::new(&WORDS[..1]).unwrap();
    let automaton = AhoCorasick::new(WORDS).unwrap();
    let finders = WORDS.map(memmem::Finder::new);
    let in_lines = |found: &dyn Fn(&[u8]) -> bool| block.lines().filter(|l| found(l.bytes)).count();
    let with = |needles: &Needles| {
        let mut lines = 0;
        needles.lines(&block, |_| lines += 1);
        lines
    };
    tell("line feeds, one by one", &log, || log.iter().filter(|b| **b == b'\n').count());
    tell("line feeds, memchr", &log, || memchr::memchr_iter(b'\n', &log).count());
    tell("lines, Block::lines", &log, || block.lines().count());
    tell("one word, memmem in the block", &log, || finders[0].find_iter(&log).count());
    tell("one word, Needles", &log, || with(&one));
    assert_eq!(with(&packed), want);
    tell("four words, Needles (packed)", &log, || with(&packed));
    tell("four words, automaton in the block", &log, || automaton.find_iter(&log).count());
    let four = |line: &[u8]| finders.iter().any(|finder| finder.find(line).is_some());
    assert_eq!(in_lines(&four), want);
    tell("four words, memmem in each line", &log, || in_lines(&four));
}

fn megabytes(log: &[u8]) -> f64 {
    log.len() as f64 / 1e6
}

/// Prints the rate of the best pass.
fn tell(name: &str, log: &[u8], search: impl Fn() -> usize) {
    let start = Instant::now();
    let mut best = f64::MAX;
    while start.elapsed() < TIME {
        let pass = Instant::now();
        black_box(search());
        best = best.min(pass.elapsed().as_secs_f64());
    }
    println!("{name:<36} {:>6.0} MB/s", megabytes(log) / best);
}
