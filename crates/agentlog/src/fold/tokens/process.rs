//! What one process of one session used up, in all kinds of rows at once: which of them counts is
//! known at the end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::FixedState;
use ledger::{Added, Counts, PerSource, Source};
use serde::{Deserialize, Serialize};

use super::group::{Addition, Group, Named, Place};
use super::{Key, Share};
use crate::event::{Event, Head, RateLimits};
use crate::fold::CountedRow;

/// What makes a group of a process: the key, and the model that was known.
type CellKey = (Key, Option<Arc<str>>);

/// Groups of a process. Mostly it is one, which is found without being hashed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Cells {
    first: Option<(CellKey, Box<Group>)>,
    #[serde(serialize_with = "crate::state::sorted_map")]
    more: HashMap<CellKey, Box<Group>, FixedState>,
}

impl Cells {
    /// The group of that key, new if need be.
    pub fn at(&mut self, key: CellKey) -> &mut Group {
        match &mut self.first {
            Some((first, _)) if *first != key => self.more.entry(key).or_default(),
            first => &mut first.get_or_insert_with(|| (key, Box::default())).1,
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&CellKey, &Group)> {
        let first = self.first.iter().map(|(key, group)| (key, &**group));
        first.chain(self.more.iter().map(|(key, group)| (key, &**group)))
    }

    fn into_groups(self) -> impl Iterator<Item = (CellKey, Box<Group>)> {
        self.first.into_iter().chain(self.more)
    }
}

/// A process of a session.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
pub(super) struct Process {
    pub sid: Option<Arc<str>>,
    /// What only processes of Codex have: sessions are many.
    codex: Option<Box<Counted>>,
    /// Requests of Claude.
    pub claude: Cells,
    /// The model that was named first, and the one that was named last.
    models: Option<(Arc<str>, Arc<str>)>,
    cwd: Option<Arc<str>>,
}

/// The counters of a process of Codex, and what they come to.
#[derive(Debug, Default, Serialize, Deserialize, Clone)]
struct Counted {
    counts: Counts,
    /// What each kind of rows comes to.
    cells: PerSource<Cells>,
    /// For each kind, where its last call was counted; none if that was not wanted.
    last: PerSource<Option<CellKey>>,
}

impl Process {
    /// A process of a session of which another process was known before.
    pub fn taking_over(other: &Self) -> Self {
        let counts = |codex: &Counted| Counts::taking_over(&codex.counts);
        let codex = other.codex.as_deref().map(counts);
        let codex = codex.map(|counts| Counted { counts, ..Counted::default() }.into());
        Self { codex, ..Self::default() }
    }

    /// Its counters.
    pub fn counts(&mut self) -> &mut Counts {
        &mut self.codex.get_or_insert_default().counts
    }

    /// Takes what a row's head tells of the process.
    pub fn learn(&mut self, head: &Head) {
        if self.sid.is_none() {
            self.sid = head.sid.as_deref().map(Arc::from);
        }
        if let Some(cwd) = head.cwd.as_deref()
            && self.cwd.as_deref() != Some(cwd)
        {
            self.cwd = Some(cwd.into());
        }
        if let Some(model) = head.model.as_deref()
            && self.model().as_deref() != Some(model)
        {
            let model: Arc<str> = model.into();
            let first = self.models.take().map_or_else(|| Arc::clone(&model), |(first, _)| first);
            self.models = Some((first, model));
        }
    }

    /// The model as known now.
    pub fn model(&self) -> Option<Arc<str>> {
        self.models.as_ref().map(|(_, last)| Arc::clone(last))
    }

    /// The working directory as known now.
    pub fn cwd(&self) -> Option<Arc<str>> {
        self.cwd.clone()
    }

    /// Takes a row of Codex. One that only repeats the last call belongs where that was counted.
    pub fn codex_row(
        &mut self,
        source: Source,
        key: Option<Key>,
        row: &Addition<'_>,
        limits: Option<&RateLimits>,
        explain: bool,
    ) {
        let how = row.added.how;
        let model = self.model();
        let Counted { counts, cells, last } = &mut **self.codex.get_or_insert_default();
        let better = counts.chosen().filter(|chosen| *chosen < source);
        if better.is_some() && !explain {
            // Nothing can make this kind of rows count any more.
            return;
        }
        if how.counts() && !explain {
            let worse = Source::ALL.into_iter().filter(|other| *other > source);
            worse.for_each(|other| *cells.of_mut(other) = Cells::default());
        }
        let own = key.map(|key| (key, model));
        let last = last.of_mut(source);
        let cell = if how.counts() {
            last.clone_from(&own);
            own
        } else if how == ledger::How::Duplicate && counts.has_counted(source) {
            last.clone().filter(|_| own.is_some())
        } else {
            own
        };
        let Some(cell) = cell else { return };
        let group = cells.of_mut(source).at(cell);
        group.add(row, limits);
        if explain {
            group.rows.push(CountedRow::of(row));
        }
    }

    /// Notes a row that counts for nothing.
    pub fn dropped(&mut self, key: Key, event: &Event<'_>, how: &'static str) {
        let model = self.model();
        let cell = self.claude.at((key, model));
        cell.rows.push(CountedRow { src: event.src, how, tokens: None });
    }

    /// What the process used up, in its groups.
    pub fn shares(self, out: &mut Vec<Share>) {
        let Counted { counts, cells: codex, .. } =
            self.codex.map(|codex| *codex).unwrap_or_default();
        let chosen = counts.chosen();
        let first = self.models.map(|(first, _)| first);
        let telling = [Source::Turn, Source::Codex];
        let has_limits = |cells: &Cells| cells.iter().any(|(_, cell)| cell.limits != [None, None]);
        // Limits are told even where nothing is counted.
        let limits = chosen.filter(|source| telling.contains(source));
        let limits =
            limits.or_else(|| telling.into_iter().find(|kind| has_limits(codex.of(*kind))));
        let calls = chosen.map(|chosen| calls_of(codex.of(chosen))).unwrap_or_default();
        for (source, cells) in codex.into_each() {
            for ((mut key, model), mut cell) in cells.into_groups() {
                if chosen != Some(source) {
                    key.call = key.call.and(call_at(&calls, cell.first));
                    *cell = cell.without_counts(chosen);
                }
                if limits != Some(source) {
                    cell.limits = [None, None];
                }
                let model = model.or_else(|| first.clone());
                out.push(Share::new(self.sid.clone(), key, model, cell));
            }
        }
        let claude = self.claude.into_groups();
        out.extend(
            claude.map(|((key, model), cell)| Share::new(self.sid.clone(), key, model, cell)),
        );
    }
}

/// The calls that are told apart, by their places.
fn calls_of(cells: &Cells) -> BTreeMap<Place, u64> {
    cells.iter().filter_map(|((key, _), cell)| Some((cell.first?, key.call?))).collect()
}

/// The call that a row of another kind tells, too: such rows come in one go, the best last.
fn call_at(calls: &BTreeMap<Place, u64>, at: Option<Place>) -> Option<u64> {
    let at = at?;
    calls.range(at..).next().or_else(|| calls.last_key_value()).map(|(_, call)| *call)
}

impl CountedRow {
    fn of(row: &Addition<'_>) -> Self {
        let Added { how, tokens } = row.added;
        let tokens = how.counts().then(|| Box::new(tokens));
        Self { src: row.event.src, how: how.name(), tokens }
    }
}

impl Group {
    /// What is left of a group if rows of another kind count: limits, and rows that were dropped.
    fn without_counts(self, chosen: Option<Source>) -> Self {
        let rows = self.rows.into_iter().map(|row| match chosen {
            Some(source) => CountedRow { how: source.instead(), tokens: None, ..row },
            None => row,
        });
        let rows = rows.collect();
        Self {
            first: self.first,
            agreed: self.agreed,
            limits: self.limits,
            rows,
            model: Named::Unknown,
            ..Self::default()
        }
    }
}
