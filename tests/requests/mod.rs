//! Captured requests: one JSON document a file, however it is written, and files that are none.

mod faults;
mod others;
mod truth;

use crate::programs::events;
use std::path::PathBuf;
use testkit::{CaptureBuilder, CaptureFile, CaptureLog, Ran, Workdir};

/// A folder with requests of both agents in it.
struct Captured {
    dir: Workdir,
    log: CaptureLog,
}

impl Captured {
    fn new(builder: &CaptureBuilder) -> Self {
        let (dir, log) = (Workdir::new(), builder.build());
        log.write_to(&dir);
        Self { dir, log }
    }

    /// `alog-events` on the whole folder, to its end.
    fn events(&self, args: &[&str]) -> Ran {
        events().args(args).arg(self.dir.path()).run()
    }

    fn path(&self, file: &CaptureFile) -> PathBuf {
        self.dir.path().join(&file.path)
    }
}
