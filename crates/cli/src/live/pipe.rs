//! The one log that is a pipe, as a source of a run that goes on.

use std::time::{Duration, Instant};

use anyhow::Result;
use jsonl::{Batch, Reader};

use super::{Came, Kind};
use crate::look::Look;
use crate::run::{Placer, Run};
use crate::scan::{self, Decode};

/// A pipe that is read.
pub(crate) struct Pipe {
    reader: Reader,
    pub placer: Placer,
    kind: Kind,
    over: bool,
}

impl Pipe {
    /// Opens the pipe, and waits for its first lines; none if it cannot be read.
    pub fn open(run: &mut Run) -> Result<Option<Self>> {
        let Some(log) = run.log_mut(0) else { return Ok(None) };
        let source = log.open_seen()?;
        let reader = run.logs[0].reader(source, &run.options);
        let placer = Placer::new(0, &run.logs[0]);
        Ok(Some(Self { reader, placer, kind: Kind::default(), over: false }))
    }

    /// What comes next; waits for it up to a time.
    pub fn next<D: Decode>(
        &mut self,
        run: &mut Run,
        look: Look<'_>,
        decode: &D,
        until: Option<Instant>,
    ) -> Came<D::Value, D::Memory> {
        if self.over {
            return Came::End;
        }
        let left = |until: Instant| until.saturating_duration_since(Instant::now());
        self.reader.set_patience(until.map(|until| left(until).max(Duration::from_millis(1))));
        let about = run.logs[0].about();
        match self.reader.next(&|block| scan::block(block, about, look, decode)) {
            Ok(Batch::Blocks(blocks)) => {
                for block in &blocks {
                    self.kind.see(&block.value);
                }
                Came::Blocks(0, blocks)
            }
            Ok(Batch::Quiet) => Came::Quiet,
            Ok(Batch::End) => Came::End,
            Err(e) => {
                run.unreadable(0, &e);
                Came::End
            }
        }
    }

    /// Nothing more is waited for.
    pub fn end(&mut self) {
        self.over = true;
    }

    /// Counts what was read.
    pub fn close(self, run: &mut Run) {
        run.count((self.reader.lines(), self.reader.bytes()));
        run.remark_unknown(0, &self.kind);
    }
}
