//! The records of folds: which kind each is, and how it is written.

use agentlog::event::{Head, Src};
use agentlog::fold::calls::Call;
use agentlog::fold::deltas::Delta;
use agentlog::fold::prompts::Prompt;
use agentlog::fold::tokens::Group;
use agentlog::fold::turns::Turn;
use agentlog::record::{self, RecordKind, SrcPath, Values};

use super::{InColumns, Record};

/// Makes a type a record. What tells its time, its row and whose it is may be a field or a function.
macro_rules! record {
    ($type:ty, $kind:path, $write:path, $values:path, $self:ident => $t:expr, $src:expr, $id:expr, $head:expr) => {
        impl Record for $type {
            const KIND: &'static RecordKind = &$kind;

            fn t(&$self) -> Option<i64> {
                $t
            }

            fn src(&$self) -> Src {
                $src
            }

            fn id(&$self) -> Option<&str> {
                $id
            }

            fn head(&$self) -> &Head {
                $head
            }

            fn write(&self, index: u64, paths: &[SrcPath], explain: bool, out: &mut Vec<u8>) {
                $write(self, index, paths, explain, out);
            }
        }

        impl InColumns for $type {
            fn values(&self, paths: &[SrcPath], values: &mut impl Values) {
                $values(self, paths, values);
            }
        }
    };
}

record!(Prompt, record::PROMPT, record::prompt_into, record::prompt_values, self => self.t, self.src, None, &self.head);
record!(Turn, record::TURN, record::turn_into, record::turn_values, self => self.t, self.src, None, &self.head);
record!(Delta, record::DELTA, record::delta_into, record::delta_values, self => self.t, self.src, self.item_id.as_deref(), &self.head);
record!(Call, record::CALL, record::call_into, record::call_values, self => self.t, self.src, self.call_id.as_deref(), &self.head);
record!(Group, record::TOKENS, record::tokens_into, record::tokens_values, self => self.t(), self.src(), None, self.head());

// What is large is handed on in a box.
impl<R: Record> Record for Box<R> {
    const KIND: &'static RecordKind = R::KIND;

    fn t(&self) -> Option<i64> {
        (**self).t()
    }

    fn src(&self) -> Src {
        (**self).src()
    }

    fn id(&self) -> Option<&str> {
        (**self).id()
    }

    fn head(&self) -> &Head {
        (**self).head()
    }

    fn write(&self, index: u64, paths: &[SrcPath], explain: bool, out: &mut Vec<u8>) {
        (**self).write(index, paths, explain, out);
    }
}

impl<R: InColumns> InColumns for Box<R> {
    fn values(&self, paths: &[SrcPath], values: &mut impl Values) {
        (**self).values(paths, values);
    }
}
