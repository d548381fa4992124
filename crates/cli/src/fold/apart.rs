//! Many logs: to merge them is the work of one thread, and the fold that of another. What the rows
//! stand in is let go by the first, which made it, and has less to do.

use std::panic;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use anyhow::{Result, anyhow};

use super::ReadRows;
use crate::feed::Fed;
use crate::look::Look;
use crate::run::Run;

/// From so many logs on the merge is worth a thread. Where they are few it is cheap, and all cores
/// have blocks to decode.
const MANY_LOGS: usize = 256;

/// How many rows are handed over at once, and how many lots may wait.
const LOT: usize = 256;
const LOTS: usize = 4;

/// Whether the logs of the run are to be merged beside the fold.
pub(super) fn pays(run: &Run) -> bool {
    run.logs.len() >= MANY_LOGS && rayon::current_num_threads() > 1
}

/// As [`Run::feed`], which goes on in the pool while `take` feeds the fold in this thread.
pub(super) fn feed(
    run: &mut Run,
    look: Look<'_>,
    rows: &impl ReadRows,
    mut take: impl FnMut(&Fed) -> Result<()>,
) -> Result<bool> {
    thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel::<Vec<Fed>>(LOTS);
        let (give_back, mut used) = mpsc::channel::<Vec<Fed>>();
        let merging = scope.spawn(move || {
            let mut lot = Vec::with_capacity(LOT);
            let fed = run.feed(look, rows, |fed| {
                lot.push(fed.clone());
                if lot.len() < LOT {
                    return Ok(());
                }
                let full = std::mem::replace(&mut lot, empty_lot(&mut used));
                send.send(full).map_err(|_| anyhow!("the fold ended early"))
            });
            // Who does not take it has an error of its own, which is told.
            let _ = send.send(lot);
            fed
        });
        let fed = receive.into_iter().try_for_each(|lot| {
            lot.iter().try_for_each(&mut take)?;
            // At the end nobody takes it any more.
            let _ = give_back.send(lot);
            Ok(())
        });
        match merging.join() {
            Ok(known) => fed.and(known),
            Err(panicked) => panic::resume_unwind(panicked),
        }
    })
}

/// A lot that was fed, emptied, or a new one.
fn empty_lot(used: &mut Receiver<Vec<Fed>>) -> Vec<Fed> {
    let mut lot = used.try_recv().unwrap_or_else(|_| Vec::with_capacity(LOT));
    lot.clear();
    lot
}
