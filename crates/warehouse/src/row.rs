//! The values of one event, as they wait in the ordered stage until they go into columns.

use std::fmt::Display;

use agentlog::event::Src;
use agentlog::fold::calls::Violation;
use agentlog::fold::tokens::LimitSpans;
use agentlog::json::{Text, Value};
use agentlog::record::{Key, SrcPath, Values};
use ledger::{Money, Tokens};

use crate::columns::{Columns, spelled};

/// The values of one record, until they go into columns. Only of events: what they have no values
/// of is not kept.
#[derive(Clone, Debug, Default)]
pub struct Row(Vec<Cell>);

#[derive(Clone, Debug)]
enum Cell {
    Text(Option<Box<str>>),
    Integer(Option<i64>),
    /// A value of a kind that events have none of.
    None,
}

impl Row {
    /// Adds the record to columns, whose [`Columns::begin`] was called.
    pub fn add_to(&self, columns: &mut Columns) {
        for cell in &self.0 {
            match cell {
                Cell::Text(text) => columns.str(Key(""), text.as_deref()),
                Cell::Integer(n) => columns.int(Key(""), *n),
                Cell::None => unreachable!("events have texts and numbers"),
            }
        }
    }
}

impl Values for Row {
    fn name(&mut self, key: Key, name: Option<&str>) {
        self.str(key, name);
    }

    fn str(&mut self, _: Key, text: Option<&str>) {
        self.0.push(Cell::Text(text.map(Into::into)));
    }

    fn text(&mut self, key: Key, text: Option<&Text>) {
        self.str(key, text.map(Text::to_str_lossy).as_deref());
    }

    fn int(&mut self, _: Key, n: Option<i64>) {
        self.0.push(Cell::Integer(n));
    }

    fn json(&mut self, key: Key, value: Option<Value<'_>>) {
        self.str(key, value.map(|value| spelled(&value)).as_deref());
    }

    fn shown(&mut self, key: Key, name: Option<impl Display>) {
        self.str(key, name.map(|name| name.to_string()).as_deref());
    }

    fn bool(&mut self, _: Key, _: Option<bool>) {
        self.0.push(Cell::None);
    }

    fn money(&mut self, _: Key, _: Option<Money>) {
        self.0.push(Cell::None);
    }

    fn time(&mut self, _: Key, _: Option<i64>) {
        self.0.push(Cell::None);
    }

    fn token_keys(&mut self, _: &Tokens) {
        self.0.push(Cell::None);
    }

    fn tokens(&mut self, _: Key, _: Option<&Tokens>) {
        self.0.push(Cell::None);
    }

    fn limits(&mut self, _: Key, _: &LimitSpans) {
        self.0.push(Cell::None);
    }

    fn violations(&mut self, _: Key, _: &[Violation], _: &[SrcPath]) {
        self.0.push(Cell::None);
    }

    fn src(&mut self, _: &[SrcPath], _: &Src) {}
}
