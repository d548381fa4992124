//! `envelope`: a form in which rows of SSE logs are written.
//!
//! A form is an order of the known keys, as one version of one agent writes it. Its generation is the
//! first whose order the keys follow, be some of them missing, if those that make it are there: `pid`
//! for `G1`, `metadata` for `G2`, `round` too for `G3` and `G3'`, and `released` beside them for `G4`.
//! Rows without `event` are of `G0`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use agentlog::event::{Head, Provider, Src};
use agentlog::fold::Agreed;
use agentlog::record::{Field, Shape};
use foldhash::fast::FixedState;

use super::memo::{Memo, Names};
use super::spread::Spread;
use crate::tools::or_null;
use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "envelope",
    about: "a form in which rows of SSE logs are written",
    sources: "SSE logs",
    own: OWN,
    key: &["ver", "keys"],
    table: &["t", "provider", "ver", "generation", "rows", "keys"],
    takes: Takes { deltas: true, left_out: true, select: Select::Rows },
    make: |_| Box::<Envelope>::default(),
};

const OWN: &[Field] = &[
    field(
        "generation",
        Shape::OneOf(&["G0", "G1", "G2", "G3", "G3'", "G4", "other"]),
        "the generation of writers that has this order of keys",
    ),
    field("keys", Shape::Text, "the keys in their order, joined by commas"),
    field(
        "missing",
        Shape::Json,
        "keys of the generation before metadata and round that rows lack: those of event, t, line, flow_id, data_count, sid",
    ),
    field("events", Shape::Count, "how many kinds of events are written so"),
    field("rows", Shape::Count, "rows"),
    field("bytes", Shape::Count, "bytes of the rows"),
    field("p50_bytes", Shape::Count, "median size of a row"),
    field("p95_bytes", Shape::Count, "95th percentile of the sizes"),
    field("max_bytes", Shape::Count, "the largest row"),
    field("t_last", Shape::Time, "when the last was written"),
];

/// Orders of keys, and which keys must be there to tell them.
const ORDERS: &[(&str, &[&str], &[&str])] = &[
    (
        "G1",
        &["event", "t", "flow_id", "sid", "line", "data_count", "cwd", "pid"],
        &["event", "line", "pid"],
    ),
    (
        "G2",
        &["event", "t", "line", "metadata", "flow_id", "data_count", "sid"],
        &["event", "line", "metadata"],
    ),
    (
        "G3",
        &["event", "t", "line", "metadata", "flow_id", "round", "data_count", "sid"],
        &["event", "line", "metadata", "round"],
    ),
    (
        "G3'",
        &["event", "t", "line", "round", "metadata", "flow_id", "data_count", "sid"],
        &["event", "line", "metadata", "round"],
    ),
];

/// Keys that every generation but the first has.
const COMMON: [&str; 6] = ["event", "t", "line", "flow_id", "data_count", "sid"];

/// The generation of an order of keys.
fn generation(keys: &[&str]) -> &'static str {
    if !keys.contains(&"event") {
        return if keys.contains(&"line") { "G0" } else { "other" };
    }
    if keys.contains(&"released") {
        let rest: Vec<&str> = keys.iter().copied().filter(|key| *key != "released").collect();
        let is_g3 = matches!(generation(&rest), "G3" | "G3'");
        return if is_g3 { "G4" } else { "other" };
    }
    let is_of = |(_, order, marks): &&(&str, &[&str], &[&str])| {
        let mut order = order.iter();
        let marked = marks.iter().all(|mark| keys.contains(mark));
        marked && keys.iter().all(|key| order.any(|known| known == key))
    };
    ORDERS.iter().find(is_of).map_or("other", |(name, ..)| name)
}

/// How many kinds of events are told apart.
const KINDS: usize = 4096;

/// Rows of one form.
struct Group {
    keys: Arc<str>,
    t: Option<i64>,
    src: Src,
    agreed: Agreed,
    sizes: Spread,
    events: HashSet<usize, FixedState>,
    /// The event of the last row.
    event: Option<usize>,
    t_last: Option<i64>,
}

#[derive(Default)]
struct Envelope {
    orders: Names,
    events: Names,
    writers: Memo<Head>,
    /// Numbers of versions, by agent.
    versions: HashMap<(Option<Provider>, Option<String>), usize, FixedState>,
    groups: Vec<Group>,
    known: HashMap<(usize, usize), usize, FixedState>,
}

impl Envelope {
    fn version(&mut self, head: &Arc<Head>) -> usize {
        if let Some(number) = self.writers.get(head) {
            return number;
        }
        let next = self.versions.len();
        let number = *self.versions.entry((head.provider, head.ver.clone())).or_insert(next);
        self.writers.put(head, number);
        number
    }
}

impl Mode for Envelope {
    fn feed(&mut self, row: &Row<'_>, _out: &mut Vec<Record>) {
        let event = row.event;
        let Some((facts, keys)) = row.facts.and_then(|facts| Some((facts, facts.keys.as_ref()?)))
        else {
            return;
        };
        let key = (self.version(event.head), self.orders.number(keys));
        let name = self.events.number(&facts.name);
        let next = self.groups.len();
        let at = *self.known.entry(key).or_insert(next);
        if at == next {
            self.groups.push(Group {
                keys: Arc::clone(keys),
                t: event.t,
                src: event.src,
                agreed: Agreed::new(event.head),
                sizes: Spread::default(),
                events: HashSet::default(),
                event: None,
                t_last: None,
            });
        }
        let group = &mut self.groups[at];
        group.agreed.add(event.head);
        group.sizes.add(event.src.len);
        group.t_last = group.t_last.max(event.t);
        if group.event.replace(name) != Some(name) && group.events.len() < KINDS {
            group.events.insert(name);
        }
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        self.known.clear();
        for mut group in self.groups.drain(..) {
            let keys: Vec<&str> = group.keys.split(',').collect();
            let missing: Vec<&str> = COMMON.into_iter().filter(|key| !keys.contains(key)).collect();
            let [p50, p95] = group.sizes.percentiles([50, 95]);
            let values = vec![
                generation(&keys).into(),
                (*group.keys).into(),
                missing.into(),
                group.events.len().into(),
                group.sizes.count.into(),
                group.sizes.sum.into(),
                or_null(p50),
                or_null(p95),
                group.sizes.max.into(),
                or_null(group.t_last),
            ];
            let head = Arc::clone(group.agreed.head());
            out.push(Record { info: &INFO, t: group.t, src: group.src, head, values });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::generation;
    use crate::given::{claude, records, request, turn};

    #[test]
    fn generations_by_the_order_of_keys() {
        for (keys, name) in [
            ("t,line,flow_id,data_count,sid,pid,cwd", "G0"),
            ("event,t,flow_id,sid,line,data_count,cwd,pid", "G1"),
            ("event,t,line,metadata,flow_id,data_count,sid", "G2"),
            ("event,t,line,metadata,flow_id,round,data_count,sid", "G3"),
            ("event,t,line,metadata,flow_id,round,sid", "G3"),
            ("event,t,line,round,metadata,flow_id,data_count,sid", "G3'"),
            ("event,t,line,metadata,flow_id,round,data_count,sid,released", "G4"),
            ("event,t,line,metadata,flow_id,data_count,sid,released", "other"),
            ("sid,event,t,line,metadata,flow_id,data_count", "other"),
            ("event,t", "other"),
            ("t,sid", "other"),
        ] {
            let keys: Vec<&str> = keys.split(',').collect();
            assert_eq!(generation(&keys), name, "{keys:?}");
        }
    }

    #[test]
    fn one_record_for_each_form_and_version() {
        let rows = [
            turn(1, "turn.diff", "1", &json!({})),
            turn(2, "turn.user_message", "1", &json!({"message": "longer"})),
            claude(3, &json!({"type": "stop"})).replace("\"data_count\":0,", ""),
            claude(4, &json!({"type": "turn_end"})).replace("2.0.42", "2.0.47"),
            request(5, "messages", &json!({"messages": []})),
        ];
        let found = records("envelope", &rows);
        assert_eq!(found.len(), 3);
        assert_eq!((&found[0]["generation"], &found[0]["rows"]), (&json!("G2"), &json!(2)));
        assert_eq!((&found[0]["events"], &found[0]["missing"]), (&json!(2), &json!([])));
        assert_eq!(
            (&found[0]["p50_bytes"], &found[0]["max_bytes"]),
            (&json!(rows[0].len()), &json!(rows[1].len()))
        );
        assert_eq!(found[0]["bytes"], rows[0].len() + rows[1].len());
        assert_eq!(found[0]["keys"], "event,t,line,metadata,flow_id,data_count,sid");
        assert_eq!(
            (&found[1]["missing"], &found[1]["ver"]),
            (&json!(["data_count"]), &json!("claude-code-2.0.42"))
        );
        assert_eq!(
            (&found[2]["ver"], &found[2]["t_last"]),
            (&json!("claude-code-2.0.47"), &json!("2026-01-01T00:00:00.004Z"))
        );
    }

    #[test]
    fn other_logs_have_no_envelope() {
        let row = json!({"type": "user", "uuid": "u", "sessionId": "c", "message": {"role": "user", "content": "x"}});
        assert_eq!(records("envelope", &[row.to_string()]), Vec::<Value>::new());
    }
}
