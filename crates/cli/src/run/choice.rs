//! Which of the logs a command reads: of those that are there, and of those that come.

use std::sync::Arc;

use anyhow::Result;

use super::Run;
use crate::format::Format;
use crate::inputs::Log;

/// Kinds of logs that a command does not read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LeftOut {
    pub native: bool,
    pub requests: bool,
    /// Sessions are not taken from the best source alone.
    pub no_choice: bool,
}

impl Run {
    /// How many logs the agents wrote by themselves, as far as is known.
    pub fn native_logs(&self) -> usize {
        self.logs.iter().filter(|log| log.about().format.dialect().is_some()).count()
    }

    /// Leaves out logs that the agents wrote by themselves.
    pub fn leave_out_native(&mut self) {
        self.left_out.native = true;
        self.leave_out_unwanted();
    }

    /// Leaves out captured requests: what is asked of a model is no news to who reads sessions.
    pub fn leave_out_requests(&mut self) {
        self.left_out.requests = true;
        self.leave_out_unwanted();
    }

    /// Whether a log is of a kind that is not read.
    pub(crate) fn leaves_out(&self, log: &Log) -> bool {
        self.left_out.native && log.about().format.dialect().is_some()
            || self.left_out.requests && log.format == Format::Request
    }

    fn leave_out_unwanted(&mut self) {
        let before = self.logs.len();
        let mut logs = std::mem::take(&mut self.logs);
        if let Some(logs) = Arc::get_mut(&mut logs) {
            logs.retain(|log| !self.leaves_out(log));
        }
        self.logs = logs;
        self.report.counts.files_skipped += (before - self.logs.len()) as u64;
    }

    /// Leaves all logs out but those.
    pub fn stay_with(&mut self, stays: impl Fn(&Log) -> bool) {
        if let Some(logs) = Arc::get_mut(&mut self.logs) {
            logs.retain(|log| stays(log));
        }
    }

    /// Does something with the run as if only some of its logs were there. What it chooses of the
    /// sources of sessions it chooses for itself.
    pub fn with_only<T>(
        &mut self,
        stays: impl Fn(&Log) -> bool,
        act: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let sessions = self.sessions.clone();
        let Some(logs) = Arc::get_mut(&mut self.logs).map(std::mem::take) else {
            return act(self);
        };
        let (stay, wait): (Vec<_>, Vec<_>) =
            logs.into_iter().enumerate().partition(|(_, log)| stays(log));
        let (places, stay): (Vec<usize>, Vec<Log>) = stay.into_iter().unzip();
        self.logs = Arc::new(stay);
        let done = act(self);
        let came_back = Arc::get_mut(&mut self.logs).map(std::mem::take).unwrap_or_default();
        let mut logs: Vec<_> = places.into_iter().zip(came_back).chain(wait).collect();
        logs.sort_unstable_by_key(|(place, _)| *place);
        self.logs = Arc::new(logs.into_iter().map(|(_, log)| log).collect());
        self.sessions = sessions;
        done
    }

    /// Whether there is something that the run before did not read.
    pub fn has_gained(&self) -> bool {
        let points = &self.resume_point().logs;
        self.logs.iter().enumerate().any(|(file, log)| {
            !log.is_gone()
                && points.get(file).is_none_or(|point| point.on_disk != Some(log.on_disk))
        })
    }

    /// Takes in a log that came; gives its place.
    pub(crate) fn add_log(&mut self, log: Log) -> Option<usize> {
        if !self.left_out.no_choice {
            self.sessions.learn(&log);
        }
        self.report.counts.files += 1;
        let logs = Arc::get_mut(&mut self.logs)?;
        logs.push(log);
        Some(logs.len() - 1)
    }
}
