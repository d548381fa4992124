//! The head of a record that is made of many rows: what they agree on.

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::event::Head;

/// What the rows so far agree on. A row that does not know a thing does not contradict the
/// others.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub struct Agreed {
    head: Arc<Head>,
    /// The last row's head: rows in a row mostly share it.
    last: Option<Arc<Head>>,
    /// Keys on which rows differ.
    differs: u16,
}

/// The same in a state that is kept. Which head came last is of no weight: one that is merged again
/// changes nothing.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(with = "crate::state::head")]
    head: Arc<Head>,
    has_rows: bool,
    differs: u16,
}

impl From<Agreed> for Kept {
    fn from(Agreed { head, last, differs }: Agreed) -> Self {
        Self { head, has_rows: last.is_some(), differs }
    }
}

impl From<Kept> for Agreed {
    fn from(Kept { head, has_rows, differs }: Kept) -> Self {
        Self { last: has_rows.then(|| Arc::clone(&head)), head, differs }
    }
}

/// No rows yet. What they agree on is many: they start from the same empty head.
impl Default for Agreed {
    fn default() -> Self {
        static EMPTY: LazyLock<Arc<Head>> = LazyLock::new(Arc::default);
        Self { head: Arc::clone(&EMPTY), last: None, differs: 0 }
    }
}

impl Agreed {
    /// Starts with the first row's head.
    pub fn new(head: &Arc<Head>) -> Self {
        Self { head: Arc::clone(head), last: Some(Arc::clone(head)), differs: 0 }
    }

    /// Takes the head of another row.
    pub fn add(&mut self, head: &Arc<Head>) {
        if self.last_was(head) {
            return;
        }
        if self.last.replace(Arc::clone(head)).is_none() {
            self.head = Arc::clone(head);
        } else if !Arc::ptr_eq(&self.head, head) && *self.head != **head {
            self.merge(head);
        }
    }

    /// Takes all rows of another.
    pub fn absorb(&mut self, other: &Self) {
        if self.last.is_none() {
            self.clone_from(other);
        } else if other.last.is_some() {
            if !Arc::ptr_eq(&self.head, &other.head) && *self.head != *other.head {
                self.merge(&other.head);
            }
            self.differs |= other.differs;
            self.forget_what_differs();
        }
    }

    /// Whether the row before had this head.
    pub fn last_was(&self, head: &Arc<Head>) -> bool {
        self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, head))
    }

    /// What all rows agree on.
    pub fn head(&self) -> &Arc<Head> {
        &self.head
    }

    /// Gives what they agree on this model.
    pub(super) fn set_model(&mut self, model: Option<&str>) {
        if self.head.model.as_deref() != model {
            Arc::make_mut(&mut self.head).model = model.map(String::from);
        }
    }

    /// The bits of `differs` stand in the order in which [`Agreed::merge`] takes the keys.
    fn forget_what_differs(&mut self) {
        let bits = self.differs;
        if bits == 0 {
            return;
        }
        let head = Arc::make_mut(&mut self.head);
        let differs = |bit: usize| bits >> bit & 1 == 1;
        head.provider = head.provider.filter(|_| !differs(0));
        head.pid = head.pid.filter(|_| !differs(1));
        let texts = [
            &mut head.sid,
            &mut head.turn_id,
            &mut head.round,
            &mut head.flow_id,
            &mut head.cwd,
            &mut head.ver,
            &mut head.model,
        ];
        for (bit, text) in (2..).zip(texts) {
            if differs(bit) {
                *text = None;
            }
        }
    }

    fn merge(&mut self, other: &Head) {
        let Self { head, differs, .. } = self;
        let head = Arc::make_mut(head);
        settle(&mut head.provider, other.provider.as_ref(), 0, differs);
        settle(&mut head.pid, other.pid.as_ref(), 1, differs);
        let texts = [
            (&mut head.sid, &other.sid),
            (&mut head.turn_id, &other.turn_id),
            (&mut head.round, &other.round),
            (&mut head.flow_id, &other.flow_id),
            (&mut head.cwd, &other.cwd),
            (&mut head.ver, &other.ver),
            (&mut head.model, &other.model),
        ];
        for (bit, (mine, theirs)) in (2..).zip(texts) {
            settle(mine, theirs.as_ref(), bit, differs);
        }
    }
}

/// Merges one key; where rows differ on it, its bit of `differs` is set.
fn settle<T: PartialEq + Clone>(
    mine: &mut Option<T>,
    theirs: Option<&T>,
    bit: usize,
    differs: &mut u16,
) {
    let Some(theirs) = theirs.filter(|_| *differs >> bit & 1 == 0) else { return };
    if mine.get_or_insert_with(|| theirs.clone()) != theirs {
        *mine = None;
        *differs |= 1 << bit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(sid: &str, flow: Option<&str>, model: Option<&str>) -> Arc<Head> {
        Arc::new(Head {
            sid: Some(sid.into()),
            flow_id: flow.map(String::from),
            model: model.map(String::from),
            ..Head::default()
        })
    }

    #[test]
    fn what_rows_agree_on_in_any_order() {
        let heads =
            [head("s", Some("a"), None), head("s", Some("b"), None), head("s", None, Some("m"))];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
            let mut agreed = Agreed::default();
            for _ in 0..2 {
                for i in order {
                    agreed.add(&heads[i]);
                }
            }
            assert_eq!(*agreed.head(), head("s", None, Some("m")), "{order:?}");
        }
    }

    #[test]
    fn what_two_lots_of_rows_agree_on() {
        let heads = [
            head("s", Some("a"), None),
            head("s", Some("b"), Some("m")),
            head("s", None, Some("m")),
            head("s", Some("a"), Some("m")),
            head("r", None, None),
        ];
        for cut in 0..=heads.len() {
            for end in cut..=heads.len() {
                let [mut all, mut first, mut second] = [(); 3].map(|()| Agreed::default());
                heads[..end].iter().for_each(|head| all.add(head));
                heads[..cut].iter().for_each(|head| first.add(head));
                heads[cut..end].iter().for_each(|head| second.add(head));
                let mut back = second.clone();
                back.absorb(&first);
                first.absorb(&second);
                assert_eq!([first.head(), back.head()], [all.head(); 2], "{cut} {end}");
            }
        }
    }
}
