//! A command that is running: what is written to it, and what it answers meanwhile.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How soon a record must come.
pub const SOON: Duration = Duration::from_secs(3);

/// A running command; killed when it is dropped.
pub struct Child {
    process: std::process::Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<Vec<u8>>,
    stderr: Option<JoinHandle<String>>,
    unread: Vec<u8>,
}

/// What a command did at last.
pub struct Ended {
    pub code: Option<i32>,
    /// Output that was not read before.
    pub rest: String,
    pub stderr: String,
}

impl Child {
    /// Starts a program on standard input, which it is told to read.
    pub fn start(program: &str, args: &[&str]) -> Self {
        Self::spawn(Command::new(program).args(args).arg("-"))
    }

    /// Starts a program on what its arguments name.
    pub fn on<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> Self {
        Self::spawn(Command::new(program).args(args))
    }

    /// Starts a program that finds out by itself that there is standard input.
    pub fn start_without_path(program: &str) -> Self {
        Self::spawn(&mut Command::new(program))
    }

    fn spawn(command: &mut Command) -> Self {
        command.env_clear().env("HOME", "/nonexistent").env("TZ", "UTC");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("a program that starts");
        let mut pipe = process.stdout.take().expect("its output");
        let (sender, stdout) = channel();
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(len @ 1..) = pipe.read(&mut buffer) {
                if sender.send(buffer[..len].to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut pipe = process.stderr.take().expect("its remarks");
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).expect("UTF-8");
            text
        });
        let stdin = process.stdin.take();
        Self { process, stdin, stdout, stderr: Some(stderr), unread: Vec::new() }
    }

    /// Writes to its standard input.
    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("an open pipe");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("a reader");
    }

    /// Its next record, which must come soon.
    pub fn next(&mut self) -> Value {
        let start = Instant::now();
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let rest = self.unread.split_off(end + 1);
                let line = std::mem::replace(&mut self.unread, rest);
                return serde_json::from_slice(&line).expect("a record");
            }
            let left = SOON.saturating_sub(start.elapsed());
            match self.stdout.recv_timeout(left) {
                Ok(bytes) => self.unread.extend(bytes),
                Err(error) => panic!("no record after {:?}: {error}", start.elapsed()),
            }
        }
    }

    /// Whether something comes soon.
    pub fn bytes_come(&mut self) -> bool {
        let bytes = self.stdout.recv_timeout(SOON);
        bytes.map(|bytes| self.unread.extend(bytes)).is_ok()
    }

    /// Whether nothing comes for so long.
    pub fn is_silent_for(&mut self, time: Duration) -> bool {
        self.unread.is_empty()
            && matches!(self.stdout.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }

    /// Closes its input and waits for its end.
    pub fn end(mut self) -> Ended {
        drop(self.stdin.take());
        let mut rest = std::mem::take(&mut self.unread);
        rest.extend(self.stdout.iter().flatten());
        let code = self.process.wait().expect("an end").code();
        let stderr = self.stderr.take().map(|thread| thread.join().expect("its remarks"));
        let rest = String::from_utf8(rest).expect("UTF-8");
        Ended { code, rest, stderr: stderr.unwrap_or_default() }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal, such as `INT`.
    pub fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let script = format!("kill -{name} \"$0\"");
        let sent = Command::new("sh").args(["-c", &script, &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    /// Interrupts it, and gives its status as a shell would.
    pub fn interrupt(mut self) -> i32 {
        self.signal("INT");
        let status = self.process.wait().expect("an end");
        status.code().or(status.signal().map(|signal| 128 + signal)).expect("a status")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
