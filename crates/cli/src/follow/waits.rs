//! What a run that follows logs waits for: news, and times at which to look by itself.

use std::time::{Duration, Instant};

use super::files::{Followed, Task};
use crate::live::Came;
use crate::run::Run;

/// How long a file that lost its name is still read: its writer may have it open.
const GONE: Duration = Duration::from_secs(5);

/// How often it is looked at.
const GONE_POLL: Duration = Duration::from_millis(250);

impl Followed {
    /// Waits for something to do; gives what it waited for in vain.
    pub(super) fn wait<T, M>(
        &mut self,
        run: &mut Run,
        until: Option<Instant>,
    ) -> Option<Came<T, M>> {
        let is_gone = self.files.values().any(|file| file.gone.is_some());
        let look_again = is_gone.then(|| Instant::now() + GONE_POLL);
        let settled = self.unsettled.values().min().copied();
        let poll = self.poll.map(|(_, at)| at);
        let timers = [until, look_again, settled, poll];
        let news = self.bell.wait(timers.into_iter().flatten().min());
        if news.closed {
            return Some(Came::Closed);
        }
        let now = Instant::now();
        let polls = self.poll.is_some_and(|(_, at)| at <= now);
        if let (true, Some((every, at))) = (polls, &mut self.poll) {
            *at = now + *every;
        }
        if news.anything || polls {
            self.look_at_all(run);
        }
        for path in &news.paths {
            self.look_at(run, path);
        }
        self.look_at_settled(run, now);
        self.look_at_gone(now);
        if let Some(signal) = news.signal {
            return Some(Came::Signal(signal));
        }
        let quiet = !self.in_round && until.is_some_and(|until| until <= now);
        quiet.then_some(Came::Quiet)
    }

    /// Files without a name are read on for a while, and then forgotten.
    fn look_at_gone(&mut self, now: Instant) {
        let gone = self.files.iter().filter_map(|(file, followee)| {
            followee.gone.map(|since| (*file, now.saturating_duration_since(since) > GONE))
        });
        for (file, is_over) in gone.collect::<Vec<_>>() {
            if is_over {
                self.forget(file);
            } else {
                self.read_soon(Task::Growth(file));
            }
        }
    }

    /// Looks at files that may be quiet by now.
    fn look_at_settled(&mut self, run: &mut Run, now: Instant) {
        let settled = self.unsettled.iter().filter(|(_, at)| **at <= now);
        for path in settled.map(|(path, _)| path.clone()).collect::<Vec<_>>() {
            self.unsettled.remove(&path);
            self.settled = Some(path.clone());
            self.look_at(run, &path);
        }
    }
}
