//! Progress on stderr: only on a terminal, only when the work takes over a second.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Shows how much was read.
pub struct Progress {
    shown: bool,
    on: bool,
    bytes: u64,
    next: Instant,
}

impl Progress {
    /// Starts the clock.
    pub fn new(quiet: bool) -> Self {
        let on = !quiet && io::stderr().is_terminal();
        Self { shown: false, on, bytes: 0, next: Instant::now() + Duration::from_secs(1) }
    }

    /// Counts bytes that were read.
    pub fn read(&mut self, bytes: u64) {
        self.bytes += bytes;
        if self.on && Instant::now() >= self.next {
            self.next = Instant::now() + Duration::from_millis(200);
            self.shown = true;
            let _ = write!(io::stderr(), "\r{} MB read\x1b[K", self.bytes / 1_000_000);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
