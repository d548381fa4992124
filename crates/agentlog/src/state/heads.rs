//! Heads in a state: each is written once, and shared again by all that shared it, so that neither
//! the state nor the memory of a run grows by taking it up.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use crate::event::{Head, Provider};

/// The heads of the state that is being written or read. Serde hands nothing down to what it
/// visits, so that this stands beside it; what is written outside of a state shares nothing.
#[derive(Default)]
struct Heads {
    written: HashMap<Arc<Head>, u32, FixedState>,
    read: Vec<Arc<Head>>,
}

thread_local! {
    static HEADS: RefCell<Option<Heads>> = const { RefCell::new(None) };
}

/// Does the writing or reading of one state, the heads of which are shared.
pub(super) fn shared<T>(of_state: impl FnOnce() -> T) -> T {
    let before = HEADS.replace(Some(Heads::default()));
    let done = of_state();
    HEADS.replace(before);
    done
}

/// A head, or the number of one that came before.
#[derive(Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "there is only ever one at a time")]
enum Form {
    #[serde(with = "HeadForm")]
    New(Head),
    Known(u32),
}

/// The keys of [`Head`], which is not written by itself: it would not be shared.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Head")]
struct HeadForm {
    provider: Option<Provider>,
    sid: Option<String>,
    pid: Option<i64>,
    turn_id: Option<String>,
    round: Option<String>,
    flow_id: Option<String>,
    cwd: Option<String>,
    ver: Option<String>,
    model: Option<String>,
    agent: Option<String>,
}

impl Form {
    fn of(head: &Arc<Head>) -> Self {
        HEADS.with_borrow_mut(|heads| {
            let Some(Heads { written, .. }) = heads else { return Self::New(Head::clone(head)) };
            if let Some(number) = written.get(head) {
                return Self::Known(*number);
            }
            written.insert(Arc::clone(head), written.len() as u32);
            Self::New(Head::clone(head))
        })
    }

    fn head(self) -> Option<Arc<Head>> {
        HEADS.with_borrow_mut(|heads| match (self, heads) {
            (Self::Known(number), heads) => heads.as_ref()?.read.get(number as usize).cloned(),
            (Self::New(head), None) => Some(Arc::new(head)),
            (Self::New(head), Some(Heads { read, .. })) => {
                read.push(Arc::new(head));
                read.last().cloned()
            }
        })
    }
}

/// For `#[serde(with)]`: an `Arc<Head>`.
#[allow(missing_docs)]
pub mod head {
    use super::{Arc, Form, Head};
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(head: &Arc<Head>, to: S) -> Result<S::Ok, S::Error> {
        Form::of(head).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Head>, D::Error> {
        Form::deserialize(from)?.head().ok_or_else(|| D::Error::custom("no such head"))
    }
}

/// For `#[serde(with)]`: an `Option<Arc<Head>>`.
#[allow(missing_docs)]
pub mod some_head {
    use super::{Arc, Form, Head};
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(head: &Option<Arc<Head>>, to: S) -> Result<S::Ok, S::Error> {
        head.as_ref().map(Form::of).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Arc<Head>>, D::Error> {
        let Some(form) = Option::<Form>::deserialize(from)? else { return Ok(None) };
        form.head().map(Some).ok_or_else(|| D::Error::custom("no such head"))
    }
}
