//! What wakes a run that waits: names of files that changed, signals, an output that nobody reads
//! any more. It is gathered here until it is asked for, so that much of it is not more than little.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Rung by whoever has news, heard by the run.
#[derive(Default)]
pub(crate) struct Bell {
    news: Mutex<News>,
    rung: Condvar,
}

/// What happened since the bell was heard last.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Files and directories that changed, came or went.
    pub paths: BTreeSet<PathBuf>,
    /// Whether there may be more than `paths` says.
    pub anything: bool,
    /// The signal that ends the run.
    pub signal: Option<i32>,
    /// Whether the reader of the output has gone.
    pub closed: bool,
}

/// How long to wait for more once something came: a writer writes many rows, and files are written
/// together. It bounds how often a run wakes, and is a part of how late a record is.
const GATHER: Duration = Duration::from_millis(4);

impl News {
    fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.anything && self.signal.is_none() && !self.closed
    }
}

impl Bell {
    fn lock(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds news.
    pub fn ring(&self, add: impl FnOnce(&mut News)) {
        let mut news = self.lock();
        let first = news.is_empty();
        add(&mut news);
        if first && !news.is_empty() {
            self.rung.notify_one();
        }
    }

    /// Waits for news, for ever or up to a time. What has come a moment later belongs to it.
    pub fn wait(&self, until: Option<Instant>) -> News {
        let mut news = self.lock();
        while news.is_empty() {
            news = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.rung.wait(news).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return News::default(),
                Some(left) => {
                    let waited = self.rung.wait_timeout(news, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        drop(news);
        thread::sleep(GATHER);
        std::mem::take(&mut *self.lock())
    }

    /// Rings for signals that end a run. The second of them ends it at once.
    pub fn ring_for_signals(self: &Arc<Self>) -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let bell = Arc::clone(self);
        thread::spawn(move || {
            let mut told = false;
            for signal in signals.forever() {
                if std::mem::replace(&mut told, true) {
                    let _ = emulate_default_handler(signal);
                }
                bell.ring(|news| news.signal = Some(signal));
            }
        });
        Ok(())
    }

    /// Rings when nobody reads the output any more: an idle log would not tell.
    pub fn ring_for_closed_output(self: &Arc<Self>) {
        let bell = Arc::clone(self);
        thread::spawn(move || {
            let stdout = io::stdout();
            let mut output = [PollFd::new(&stdout, PollFlags::empty())];
            let polled = loop {
                match poll(&mut output, None) {
                    Err(Errno::INTR) => {}
                    polled => break polled,
                }
            };
            let gone = output[0].revents().intersects(PollFlags::ERR | PollFlags::HUP);
            if polled.is_ok() && gone {
                bell.ring(|news| news.closed = true);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_gathered_and_heard_once() {
        let bell = Arc::new(Bell::default());
        for name in ["a", "b", "a"] {
            bell.ring(|news| news.paths.extend([PathBuf::from(name)]));
        }
        assert_eq!(bell.wait(None).paths, ["a", "b"].map(PathBuf::from).into());
        assert!(bell.wait(Some(Instant::now())).is_empty());
        let ringer = Arc::clone(&bell);
        let thread = thread::spawn(move || ringer.ring(|news| news.anything = true));
        assert!(bell.wait(None).anything);
        thread.join().unwrap();
    }
}
