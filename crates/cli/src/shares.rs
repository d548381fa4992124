//! What processes used up, until the sessions that are meant are known.

use std::collections::BTreeSet;

use agentlog::fold::tokens::Share;
use anyhow::Result;

use crate::fold::Sink;
use crate::run::Run;

/// What processes used up, until all sessions of the input are known.
#[derive(Default)]
pub struct Shares(Vec<Share>);

impl Sink<Share> for Shares {
    fn take(&mut self, records: &mut Vec<Share>) -> Result<()> {
        self.0.append(records);
        Ok(())
    }

    fn restart(&mut self) {
        self.0.clear();
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Shares {
    /// Those of the sessions that `--session` means, now that all that fit are known.
    pub fn of_named_sessions(mut self, run: &mut Run) -> Result<Vec<Share>> {
        if run.selection.names_sessions() {
            let sids: BTreeSet<String> =
                self.0.iter().filter_map(|share| Some(share.sid.as_deref()?.to_owned())).collect();
            if sids.is_empty() {
                run.report.remark("--session: no such session in what was read");
            }
            run.selection.settle(&sids)?;
            self.0.retain(|share| run.selection.session(share.sid.as_deref()));
        }
        Ok(self.0)
    }
}
