//! Tool calls as records.

use agentlog::event::{Head, Src};
use agentlog::fold::calls::Call;
use agentlog::record::{self, RecordKind, SrcPath};

use super::Record;

impl Record for Call {
    const KIND: &'static RecordKind = &record::CALL;

    fn t(&self) -> Option<i64> {
        self.t
    }

    fn src(&self) -> Src {
        self.src
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn write(&self, index: u64, paths: &[SrcPath], explain: bool, out: &mut Vec<u8>) {
        record::call_into(self, index, paths, explain, out);
    }
}
