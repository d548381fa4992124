//! Runs a command under test to its end: arguments and input in; output, status and memory out.
//! The environment is empty but for `PATH`, `HOME`, `TZ` and what the test sets.

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(2);

/// A command that is about to run. Without `stdin` it reads from nowhere.
#[derive(Debug)]
#[must_use]
pub struct Cmd {
    command: Command,
    stdin: Option<Vec<u8>>,
    timeout: Duration,
}

/// What a command did.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its exit status; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it said, lossily decoded.
    pub stderr: String,
    /// Time from start to end.
    pub elapsed: Duration,
    /// The most memory that was seen resident, bytes. Linux only, read every 2 ms: a peak shorter
    /// than that is missed.
    pub peak_rss: Option<u64>,
}

impl Cmd {
    /// The program, usually `env!("CARGO_BIN_EXE_…")`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", "/nonexistent").env("TZ", "UTC");
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Self { command, stdin: None, timeout: TIMEOUT }
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// More arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Runs in that directory.
    pub fn cwd(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Bytes on its standard input, through a pipe.
    pub fn stdin(mut self, bytes: &[u8]) -> Self {
        self.stdin = Some(bytes.to_vec());
        self
    }

    /// A time after which it is killed and the test fails (default 60 s).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs it to its end. Panics if it does not start, or does not end in time.
    pub fn run(mut self) -> Ran {
        let input = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let command = self.command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let start = Instant::now();
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("{}: {error}", command.get_program().display()),
        };
        let writer = feed(&mut child, self.stdin.take());
        let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
        let (code, peak_rss) = wait(&mut child, self.timeout);
        let elapsed = start.elapsed();
        if let Some(writer) = writer {
            writer.join().expect("the writer of its input");
        }
        let stderr = String::from_utf8_lossy(&join(stderr)).into_owned();
        Ran { code, stdout: join(stdout), stderr, elapsed, peak_rss }
    }
}

impl Ran {
    /// Its output as text. Panics if it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("UTF-8 on standard output")
    }

    /// Its output as NDJSON. Panics on a line that is not JSON.
    pub fn rows(&self) -> Vec<Value> {
        let parsed = |line| match serde_json::from_str(line) {
            Ok(row) => row,
            Err(error) => panic!("{error} in {line}"),
        };
        self.text().lines().map(parsed).collect()
    }

    /// The last line of its stderr, as `--summary` prints it. Panics if it is not JSON.
    pub fn summary(&self) -> Value {
        let last = self.stderr.lines().next_back().unwrap_or_default();
        match serde_json::from_str(last) {
            Ok(summary) => summary,
            Err(error) => panic!("no summary ({error}): {}", self.stderr),
        }
    }

    /// Itself, if it ended with that status. Panics otherwise, with what it said.
    #[must_use]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stderr: {}", self.stderr);
        self
    }
}

/// Writes the input in a thread; a command that stops reading early is no error.
fn feed(child: &mut Child, input: Option<Vec<u8>>) -> Option<JoinHandle<()>> {
    let (mut pipe, bytes) = (child.stdin.take()?, input?);
    Some(thread::spawn(move || drop(pipe.write_all(&bytes))))
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).expect("a readable pipe");
        }
        bytes
    })
}

fn join(reader: JoinHandle<Vec<u8>>) -> Vec<u8> {
    reader.join().expect("the reader of its output")
}

fn wait(child: &mut Child, timeout: Duration) -> (Option<i32>, Option<u64>) {
    let start = Instant::now();
    let mut peak = None;
    loop {
        peak = peak_rss(child.id()).or(peak);
        if let Some(status) = child.try_wait().expect("a child to wait for") {
            return (status.code(), peak);
        }
        if start.elapsed() > timeout {
            child.kill().expect("a child to kill");
            panic!("not done after {timeout:?}");
        }
        thread::sleep(POLL);
    }
}

/// The high-water mark of a live process; `None` where there is no `/proc`, or once it has ended.
fn peak_rss(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::Cmd;
    use std::time::Duration;

    #[test]
    fn input_output_and_status() {
        let script = r#"cat; echo "said $X" >&2; exit 3"#;
        let ran = Cmd::new("sh").args(["-c", script]).env("X", "y").stdin(b"{\"a\":1}\n").run();
        assert_eq!(ran.rows(), [serde_json::json!({"a": 1})]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(3), "said y\n"));
    }

    #[test]
    fn much_input_that_nobody_reads() {
        let ran = Cmd::new("true").stdin(&vec![b'x'; 1 << 20]).run();
        assert_eq!(ran.code, Some(0));
    }

    #[test]
    fn memory_is_seen_on_linux() {
        let ran = Cmd::new("sleep").arg("0.1").run();
        assert_eq!(ran.peak_rss.is_some(), cfg!(target_os = "linux"));
    }

    #[test]
    #[should_panic(expected = "not done after")]
    fn a_timeout_fails_the_test() {
        let _ = Cmd::new("sleep").arg("30").timeout(Duration::from_millis(50)).run();
    }
}
