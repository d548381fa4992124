//! Many writers at once, with all that happens to files: every whole row is printed once, soon, and
//! in order. `ALOG_FOLLOW_LONG` makes it half a minute, and asks for how soon and at what cost.

use crate::programs::EVENTS;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use testkit::{Row, Workdir, stamp, utc_stamp};

/// Rows a second, of all writers.
const RATE: u64 = 200;
const FILES: u64 = 8;

/// What names a row: its writer, and its number among the writer's.
type Id = (u64, u64);

/// A row that was written: its time, and when writing it began and was done.
#[derive(Clone, Copy)]
struct Written {
    t: i64,
    from: Instant,
    to: Instant,
}

/// What the program printed, with when it came.
#[derive(Default)]
struct Printed {
    order: Vec<(Id, Instant)>,
    ids: HashSet<Id>,
}

struct Storm {
    dir: PathBuf,
    printed: Mutex<Printed>,
    written: Mutex<HashMap<Id, Written>>,
    over: AtomicBool,
}

impl Storm {
    fn path(&self, file: u64) -> PathBuf {
        self.dir.join(format!("{file}.jsonl"))
    }

    /// Writes rows to a file until the storm is over. Each third is torn: it comes in two parts.
    fn write(&self, writer: u64, file: u64, alone: bool) {
        let mut log = append(&self.path(file));
        for n in 0.. {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            thread::sleep(Duration::from_millis(1000 * (FILES + 1) / RATE));
            if alone && n % 40 == 39 {
                log = self.change(file, n, log);
            }
            let from = Instant::now();
            let (t, row) = row(writer, n);
            if alone && n % 3 == 0 {
                let (head, rest) = row.split_at(row.len() / 3);
                log.write_all(head).expect("half a row");
                thread::sleep(Duration::from_millis(3));
                log.write_all(rest).expect("its rest");
            } else {
                log.write_all(&row).expect("a row");
            }
            let written = Written { t, from, to: Instant::now() };
            self.written.lock().expect("rows").insert((writer, n), written);
        }
    }

    /// Rotates a file, or cuts it short once all of it was printed.
    fn change(&self, file: u64, n: u64, log: File) -> File {
        let path = self.path(file);
        if file.is_multiple_of(2) {
            fs::rename(&path, self.dir.join(format!("{file}.jsonl.{n}"))).expect("another name");
            return append(&path);
        }
        let begin = Instant::now();
        while !(0..n).all(|n| self.printed.lock().expect("records").ids.contains(&(file, n))) {
            assert!(begin.elapsed() < Duration::from_secs(10), "{file}: rows are missing");
            thread::sleep(Duration::from_millis(5));
        }
        log.set_len(0).expect("a shorter file");
        log
    }

    /// Begins rows in a file of another writer and never ends them.
    fn tear(&self, file: u64) {
        let mut log = append(&self.path(file));
        while !self.over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(400));
            let (_, row) = row(99, 0);
            log.write_all(&row[..row.len() / 2]).expect("half a row");
        }
    }

    fn read(&self, output: ChildStdout) {
        for line in BufReader::new(output).lines() {
            let now = Instant::now();
            let record: Value = serde_json::from_str(&line.expect("a line")).expect("a record");
            let number = |key: &str| record["payload"][key].as_u64().expect("a number");
            let id = (number("writer"), number("n"));
            let mut printed = self.printed.lock().expect("records");
            assert!(printed.ids.insert(id), "{id:?} came twice");
            printed.order.push((id, now));
        }
    }

    /// Panics unless each row came, and none after a later one that could be read later.
    fn check(&self) {
        let (written, printed) =
            (self.written.lock().expect("rows"), self.printed.lock().expect("records"));
        let missing: Vec<_> = written.keys().filter(|id| !printed.ids.contains(id)).collect();
        assert!(missing.is_empty(), "{} of {} missing: {missing:?}", missing.len(), written.len());
        assert_eq!(written.len(), printed.ids.len());
        let rows: Vec<(Id, Written)> =
            printed.order.iter().map(|(id, _)| (*id, written[id])).collect();
        for (at, (id, row)) in rows.iter().enumerate() {
            let wrong = rows[..at].iter().find(|(_, other)| other.t > row.t && other.from > row.to);
            assert!(wrong.is_none(), "{id:?} came after {:?}", wrong.map(|(id, _)| id));
        }
    }

    /// How late records came, sorted.
    fn delays(&self) -> Vec<Duration> {
        let (written, printed) =
            (self.written.lock().expect("rows"), self.printed.lock().expect("records"));
        let delay = |(id, at): &(Id, Instant)| at.saturating_duration_since(written[id].to);
        let mut delays: Vec<Duration> = printed.order.iter().map(delay).collect();
        delays.sort_unstable();
        delays
    }
}

fn append(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("a log")
}

fn row(writer: u64, n: u64) -> (i64, Vec<u8>) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as i64;
    let row = Row::claude("claude.numbered").t(&stamp(now)).utc(&utc_stamp(now));
    (now, row.payload(json!({"writer": writer, "n": n})).to_bytes())
}

/// Seconds of a processor, and KiB of memory.
fn cost(child: &Child) -> (f64, u64) {
    let read = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id()));
    let stat = read("stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    let status = read("status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    let kib = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok());
    ((ticks(11) + ticks(12)) / 100.0, kib.unwrap_or(0))
}

#[test]
fn every_row_comes_once_and_in_order_whatever_happens_to_files() {
    let long = std::env::var_os("ALOG_FOLLOW_LONG").is_some();
    let seconds = if long { 30 } else { 4 };
    let dir = Workdir::new();
    let storm = Arc::new(Storm {
        dir: dir.path().to_owned(),
        printed: Mutex::default(),
        written: Mutex::default(),
        over: AtomicBool::new(false),
    });
    let mut child = Command::new(EVENTS)
        .args(["-f", "-q"])
        .arg(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("a program that starts");
    let output = child.stdout.take().expect("its output");
    thread::sleep(Duration::from_secs(1));
    let mut costs = vec![cost(&child)];
    thread::scope(|scope| {
        let storm = &*storm;
        let reader = scope.spawn(move || storm.read(output));
        // The last file has two writers, and one that tears.
        let mut writers: Vec<_> =
            (0..FILES - 1).map(|n| scope.spawn(move || storm.write(n, n, true))).collect();
        let two = [FILES, FILES + 1];
        writers.extend(two.map(|n| scope.spawn(move || storm.write(n, FILES - 1, false))));
        writers.push(scope.spawn(|| storm.tear(FILES - 1)));
        for _ in 0..2 {
            thread::sleep(Duration::from_secs(seconds) / 2);
            costs.push(cost(&child));
        }
        storm.over.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.join().expect("a writer");
        }
        thread::sleep(Duration::from_secs(1));
        let script = "kill -TERM \"$0\"";
        let sent = Command::new("sh").args(["-c", script, &child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        reader.join().expect("records");
    });
    assert_eq!(child.wait().expect("an end").code(), Some(143));
    storm.check();
    let delays = storm.delays();
    let (median, late) = (delays[delays.len() / 2], delays[delays.len() * 99 / 100]);
    let share = (costs[2].0 - costs[0].0) / seconds as f64;
    let more = costs[2].1.saturating_sub(costs[1].1);
    if long {
        let told = format!("median {median:?}, p99 {late:?}, {share} of a core, {more} KiB more");
        assert!(median < Duration::from_millis(20) && late < Duration::from_millis(150), "{told}");
        assert!(share < 0.05 && more < 1024, "{told}");
    }
}
