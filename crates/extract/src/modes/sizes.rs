//! `sizes`: the largest rows, sizes by event, and what a limit on the size would save.
//!
//! Three kinds of records: the 20 largest rows (`row`, equal ones in their order), a record for each
//! event (`event`), and for each of five limits (`cap`) how many rows are longer, how many bytes these
//! have, and how many would be saved if each was cut to the limit. Percentiles are exact of fewer than
//! 4,096 rows, and within 1 % of the true size of more; the largest size is exact always.

use std::collections::HashMap;
use std::sync::Arc;

use agentlog::event::{Event, Head, Provider, Src};
use agentlog::fold::Agreed;
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;
use serde_json::Value;

use super::memo::Names;
use super::spread::Spread;
use crate::tools::or_null;
use crate::{Form, Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "sizes",
    about: "the largest rows, sizes by event, and what a limit on the size would save",
    sources: "all logs",
    own: OWN,
    key: &["kind", "event", "cap_bytes", "rank"],
    table: &["kind", "rank", "event", "rows", "bytes", "p50_bytes", "p99_bytes", "max_bytes"],
    takes: Takes { deltas: true, left_out: true, select: Select::Rows },
    make: |_| Box::<Sizes>::default(),
};

const OWN: &[Field] = &[
    field("kind", Shape::OneOf(&["row", "event", "cap"]), "a large row, an event, or a limit"),
    field("rank", Shape::Count, "place among the largest, from 1"),
    field("event", Shape::Text, "the event"),
    field("rows", Shape::Count, "rows"),
    field("bytes", Shape::Count, "bytes of them"),
    field("p50_bytes", Shape::Count, "median size of a row"),
    field("p90_bytes", Shape::Count, "90th percentile"),
    field("p99_bytes", Shape::Count, "99th percentile"),
    field("max_bytes", Shape::Count, "the largest"),
    field("cap_bytes", Shape::Count, "the limit"),
    field("saved_bytes", Shape::Count, "what it would save"),
];

/// How many large rows are told.
const LARGEST: usize = 20;

/// Limits of which is told what they would save.
const CAPS: [u64; 5] = [4 << 10, 64 << 10, 300 << 10, 1 << 20, 5 << 20];

/// Where a row stands.
#[derive(Clone)]
struct Place {
    t: Option<i64>,
    src: Src,
    head: Arc<Head>,
}

impl Place {
    fn of(event: &Event<'_>) -> Self {
        Self { t: event.t, src: event.src, head: Arc::clone(event.head) }
    }

    fn record(self, values: Vec<Value>) -> Record {
        let Self { t, src, head } = self;
        Record { info: &INFO, t, src, head, values }
    }
}

/// Rows of one event.
struct OfEvent {
    name: Arc<str>,
    place: Place,
    agreed: Agreed,
    sizes: Spread,
}

/// What a limit would cut.
#[derive(Default)]
struct Cap {
    first: Option<Place>,
    rows: u64,
    bytes: u64,
    saved: u64,
}

#[derive(Default)]
struct Sizes {
    names: Names,
    events: Vec<OfEvent>,
    known: HashMap<(Option<Provider>, usize), usize, FixedState>,
    /// The largest rows, the largest first.
    largest: Vec<(u64, Arc<str>, Place)>,
    caps: [Cap; CAPS.len()],
    first: Option<Place>,
}

impl Sizes {
    fn is_large(&self, bytes: u64) -> bool {
        self.largest.len() < LARGEST
            || self.largest.last().is_some_and(|(least, ..)| bytes > *least)
    }
}

impl Mode for Sizes {
    fn feed(&mut self, row: &Row<'_>, _out: &mut Vec<Record>) {
        let Some(facts) = row.facts.filter(|facts| facts.form != Form::Request) else { return };
        let (event, bytes) = (row.event, row.event.src.len);
        let key = (event.head.provider, self.names.number(&facts.name));
        let next = self.events.len();
        let at = *self.known.entry(key).or_insert(next);
        if at == next {
            let place = Place::of(event);
            self.first.get_or_insert_with(|| place.clone());
            let (agreed, sizes) = (Agreed::new(event.head), Spread::default());
            self.events.push(OfEvent { name: Arc::clone(&facts.name), place, agreed, sizes });
        }
        let of_event = &mut self.events[at];
        of_event.agreed.add(event.head);
        of_event.sizes.add(bytes);
        if self.is_large(bytes) {
            let at = self.largest.partition_point(|(known, ..)| *known >= bytes);
            self.largest.insert(at, (bytes, Arc::clone(&facts.name), Place::of(event)));
            self.largest.truncate(LARGEST);
        }
        for (limit, cap) in CAPS.into_iter().zip(&mut self.caps) {
            if bytes <= limit {
                break;
            }
            cap.first.get_or_insert_with(|| Place::of(event));
            cap.rows += 1;
            cap.bytes += bytes;
            cap.saved += bytes - limit;
        }
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        let none = || Value::Null;
        for (i, (bytes, name, place)) in self.largest.drain(..).enumerate() {
            out.push(place.record(vec![
                "row".into(),
                (i + 1).into(),
                (*name).into(),
                1.into(),
                bytes.into(),
                none(),
                none(),
                none(),
                none(),
                none(),
                none(),
            ]));
        }
        for mut of_event in self.events.drain(..) {
            let [p50, p90, p99] = of_event.sizes.percentiles([50, 90, 99]);
            of_event.place.head = Arc::clone(of_event.agreed.head());
            out.push(of_event.place.record(vec![
                "event".into(),
                none(),
                (*of_event.name).into(),
                of_event.sizes.count.into(),
                of_event.sizes.sum.into(),
                or_null(p50),
                or_null(p90),
                or_null(p99),
                of_event.sizes.max.into(),
                none(),
                none(),
            ]));
        }
        let Some(first) = self.first.take() else { return };
        for (limit, cap) in CAPS.into_iter().zip(std::mem::take(&mut self.caps)) {
            let Place { t, src, .. } = cap.first.unwrap_or_else(|| first.clone());
            let place = Place { t, src, head: Arc::default() };
            out.push(place.record(vec![
                "cap".into(),
                none(),
                none(),
                cap.rows.into(),
                cap.bytes.into(),
                none(),
                none(),
                none(),
                none(),
                limit.into(),
                cap.saved.into(),
            ]));
        }
        self.known.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::given::{records, request, turn};

    fn of_kind<'r>(found: &'r [Value], kind: &str) -> Vec<&'r Value> {
        found.iter().filter(|record| record["kind"] == kind).collect()
    }

    fn diff(ms: i64, bytes: usize) -> String {
        let text = "x".repeat(bytes);
        turn(ms, "turn.diff", "1", &json!({"unified_diff": text}))
    }

    #[test]
    fn the_largest_rows_come_first() {
        let rows: Vec<String> = (0..30).map(|i| diff(i, 100 * (i as usize % 25))).collect();
        let found = records("sizes", &rows);
        let found = of_kind(&found, "row");
        assert_eq!(found.len(), 20);
        assert_eq!((&found[0]["rank"], &found[0]["bytes"]), (&json!(1), &json!(rows[24].len())));
        assert_eq!((&found[0]["line"], &found[0]["event"]), (&json!(25), &json!("turn.diff")));
        assert_eq!(found[0]["t"], "2026-01-01T00:00:00.024Z");
        assert!(
            found.windows(2).all(|pair| pair[0]["bytes"].as_u64() >= pair[1]["bytes"].as_u64())
        );
    }

    #[test]
    fn percentiles_of_each_event() {
        let mut rows: Vec<String> = (1..=100).map(|i| diff(i, 10 * i as usize)).collect();
        rows.push(turn(200, "turn.agent_message", "1", &json!({"message": "x"})));
        rows.push(request(201, "messages", &json!({"messages": []})));
        let found = records("sizes", &rows);
        let found = of_kind(&found, "event");
        assert_eq!(found.len(), 2);
        assert_eq!((&found[0]["event"], &found[0]["rows"]), (&json!("turn.diff"), &json!(100)));
        for (key, i) in
            [("p50_bytes", 50), ("p90_bytes", 90), ("p99_bytes", 99), ("max_bytes", 100)]
        {
            assert_eq!(found[0][key], rows[i - 1].len(), "{key}");
        }
        assert_eq!((&found[0]["rank"], &found[0]["saved_bytes"]), (&Value::Null, &Value::Null));
    }

    #[test]
    fn what_limits_would_save() {
        let rows = [diff(1, 10), diff(2, 5000), diff(3, 70_000)];
        let found = records("sizes", &rows);
        let found = of_kind(&found, "cap");
        let (a, b) = (rows[1].len(), rows[2].len());
        assert_eq!(found.len(), 5);
        assert_eq!((&found[0]["cap_bytes"], &found[0]["rows"]), (&json!(4096), &json!(2)));
        assert_eq!(
            (&found[0]["bytes"], &found[0]["saved_bytes"]),
            (&json!(a + b), &json!(a + b - 8192))
        );
        assert_eq!(
            (&found[0]["line"], &found[1]["line"], &found[2]["line"]),
            (&json!(2), &json!(3), &json!(1))
        );
        assert_eq!((&found[1]["rows"], &found[1]["saved_bytes"]), (&json!(1), &json!(b - 65536)));
        assert_eq!(
            (&found[4]["cap_bytes"], &found[4]["rows"], &found[4]["saved_bytes"]),
            (&json!(5 << 20), &json!(0), &json!(0))
        );
    }

    #[test]
    fn nothing_of_nothing() {
        assert!(records("sizes", &[]).is_empty());
    }
}
