//! A turn, from its first row until it is final.

use serde::{Deserialize, Serialize};

use super::{IDLE_AFTER_PROMPT_MS, TurnStatus};
use crate::event::{Event, Src, Turn};
use crate::fold::SETTLE_MS;

/// A turn that is not final.
#[derive(Debug, Serialize, Deserialize, Clone)]
pub(super) struct Slot {
    /// When its first row was written.
    pub begun_t: Option<i64>,
    /// When its prompt was; none if there is none yet.
    pub prompt_t: Option<i64>,
    /// A row that may turn out to be its prompt.
    pub waits_for: Option<Src>,
    /// Whether its rows are known by a `turn_id`.
    named: bool,
    pub end: Option<End>,
    /// Whether it is among the turns that have an end.
    pub noted: bool,
    /// The last `claude.turn_end`: the end, if no better one comes.
    over: Option<(Option<i64>, Src)>,
    pub idle_t: Option<i64>,
    /// When the next prompt of the session came.
    next_prompt_t: Option<i64>,
    pub rounds: Rounds,
}

/// How a turn ended, as far as is known.
#[derive(Debug, Serialize, Deserialize, Clone)]
pub(super) struct End {
    pub status: TurnStatus,
    pub t: Option<i64>,
    pub src: Option<Src>,
    /// Whether it was told.
    pub told: bool,
}

/// The rounds of the rows that make a turn: prompt, task start, end.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct Rounds {
    one: Option<String>,
    differ: bool,
}

impl Rounds {
    fn add(&mut self, round: Option<&str>) {
        match (&self.one, round) {
            (Some(one), Some(round)) => self.differ |= one != round,
            (None, Some(round)) => self.one = Some(round.to_owned()),
            _ => {}
        }
    }

    /// Whether they contradict each other.
    pub fn differ(&self) -> bool {
        self.differ
    }
}

impl Slot {
    pub fn new(begun_t: Option<i64>, named: bool, waits_for: Option<Src>) -> Self {
        Self {
            begun_t,
            prompt_t: None,
            waits_for,
            named,
            end: None,
            noted: false,
            over: None,
            idle_t: None,
            next_prompt_t: None,
            rounds: Rounds::default(),
        }
    }

    /// Its prompt came. `shared` says that the turn before had the same round.
    pub fn opened(&mut self, t: Option<i64>, round: Option<&str>, shared: bool) {
        self.prompt_t = Some(t.unwrap_or(i64::MIN));
        self.rounds.add(round);
        self.rounds.differ |= shared;
    }

    /// Whether its rows are known by a `turn_id`.
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// Whether rows with an id that nobody knows yet are its own.
    pub fn takes_id(&mut self) -> bool {
        let takes = !self.named && self.end.is_none();
        self.named |= takes;
        takes
    }

    /// A row about the turn itself.
    pub fn turn_row(&mut self, turn: &Turn, event: &Event<'_>) {
        let at = Some((event.t, event.src));
        match turn {
            Turn::Started => self.rounds.add(event.head.round.as_deref()),
            Turn::Completed { .. } | Turn::Stopped => {
                self.rounds.add(event.head.round.as_deref());
                if *turn == Turn::Stopped {
                    self.idle_t = self.idle_t.or(event.t);
                }
                self.close(TurnStatus::Completed, at);
            }
            Turn::Aborted => {
                self.rounds.add(event.head.round.as_deref());
                self.close(TurnStatus::Aborted, at);
            }
            Turn::Over if self.end.is_none() => self.over = Some((event.t, event.src)),
            Turn::Over | Turn::Idle => {}
        }
    }

    /// A message of the agent in a transcript: the last one may be the end, as nothing else tells it.
    pub fn message(&mut self, ends: bool, event: &Event<'_>) {
        if self.end.is_none() {
            self.over = ends.then_some((event.t, event.src));
        }
    }

    /// A later prompt came.
    pub fn superseded(&mut self, t: Option<i64>) {
        self.next_prompt_t = self.next_prompt_t.or(t);
        self.close(TurnStatus::Superseded, t.map(|t| (Some(t), Src::default())));
    }

    /// Takes an end. The first counts; of two of one instant, the one that says more.
    pub fn close(&mut self, status: TurnStatus, at: Option<(Option<i64>, Src)>) {
        let mut end =
            End { status, t: at.and_then(|(t, _)| t), src: at.map(|(_, src)| src), told: false };
        if let (Some((t, src)), TurnStatus::Shutdown | TurnStatus::Superseded | TurnStatus::Open) =
            (self.over, status)
        {
            end = End { status: TurnStatus::Completed, t, src: Some(src), told: false };
        }
        match &self.end {
            None => self.end = Some(end),
            Some(known) if !known.told && known.t == end.t && end.status < known.status => {
                self.end = Some(end);
            }
            Some(_) => {}
        }
    }

    /// Whether the row of its prompt came, but may still turn out to be no prompt: an end that
    /// comes sooner must not be told before it. That is decided within 2 s of that row.
    pub fn awaits_prompt(&self, t: i64) -> bool {
        let end_t = self.end.as_ref().and_then(|end| end.t);
        let decided = end_t.is_none_or(|end_t| t > end_t.saturating_add(SETTLE_MS));
        self.prompt_t.is_none() && self.waits_for.is_some() && !decided
    }

    /// Whether nothing more is to come, now that the log has come to `t`.
    pub fn is_final(&self, t: i64) -> bool {
        let Some(end) = &self.end else { return false };
        let passed = |since: Option<i64>, wait: i64| {
            since.is_some_and(|since| t > since.saturating_add(wait))
        };
        let idle = self.idle_t.filter(|idle| end.t.is_none_or(|end_t| *idle >= end_t));
        let decided = end.status != TurnStatus::Completed
            || passed(idle, 0)
            || passed(self.next_prompt_t, IDLE_AFTER_PROMPT_MS);
        // Its prompt may stand behind its end, too.
        t == i64::MAX || passed(end.t, SETTLE_MS) || decided && self.prompt_t.is_some()
    }

    /// When the agent was idle after the turn. An idle row long before its end belongs to
    /// nothing.
    pub fn idle_of_turn(&self) -> Option<i64> {
        let end = self.end.as_ref()?;
        let real = end.status < TurnStatus::Superseded;
        let near = |idle: i64| !real || end.t.is_none_or(|end_t| end_t - idle <= SETTLE_MS);
        self.idle_t.filter(|idle| near(*idle))
    }
}
