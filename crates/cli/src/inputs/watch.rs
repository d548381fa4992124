//! Standard input that nobody asked for: if nothing comes from it, that is said.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const HINT: &str =
    "reading standard input, since no PATH was given; --discover reads the default roots";

/// Watches standard input that nobody asked for, such as a cron job's empty pipe: says so if
/// nothing comes for 2 s.
pub(super) struct Watch {
    came: Arc<AtomicBool>,
}

impl Watch {
    /// Starts to wait.
    pub fn start() -> Self {
        let came = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&came);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(2));
            if !watched.swap(true, Ordering::Relaxed) {
                crate::report::say(&format!("nothing came for 2 s ({HINT})"));
            }
        });
        Self { came }
    }

    /// Something came, or its end. Whether that is the first.
    pub fn came(&self) -> bool {
        !self.came.swap(true, Ordering::Relaxed)
    }
}

/// Standard input that is watched.
pub(super) struct Watched {
    pub bytes: Box<dyn Read + Send>,
    pub watch: Watch,
}

impl Read for Watched {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(out)?;
        if self.watch.came() && read == 0 {
            crate::report::say(&format!("standard input is empty ({HINT})"));
        }
        Ok(read)
    }
}
