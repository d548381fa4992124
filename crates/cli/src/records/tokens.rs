//! Token groups as records.

use agentlog::event::{Head, Src};
use agentlog::fold::tokens::Group;
use agentlog::record::{self, RecordKind, SrcPath};

use super::Record;

impl Record for Group {
    const KIND: &'static RecordKind = &record::TOKENS;

    fn t(&self) -> Option<i64> {
        self.t()
    }

    fn src(&self) -> Src {
        self.src()
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn write(&self, index: u64, paths: &[SrcPath], explain: bool, out: &mut Vec<u8>) {
        record::tokens_into(self, index, paths, explain, out);
    }
}
