//! `rate_limits`: a limit of the account, each time it changed.
//!
//! A window has a record for each time when `used_percent` or `resets_at` differ from what the row
//! before told of it. Limits are those of the account, so that sessions which run at the same time tell
//! one series. A row that tells nothing of a window changes nothing. Copies of another session's
//! history, and rows of sessions that have a better source, count for nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use agentlog::event::{Event, Provider, RateLimit, Src, What};
use agentlog::fold::Agreed;
use agentlog::record::{Field, Shape};
use serde_json::Value;

use crate::tools::or_null;
use crate::{Facts, Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "rate_limits",
    about: "a limit of the account, each time it changed",
    sources: "turn.token_count, codex.token_count, token_count in rollouts",
    own: OWN,
    key: &["provider", "window", "used_percent", "resets_at"],
    table: &["t", "provider", "sid", "window", "used_percent", "window_minutes", "resets_at"],
    takes: Takes { deltas: false, left_out: true, select: Select::Records },
    make: |_| Box::<RateLimits>::default(),
};

const OWN: &[Field] = &[
    field("window", Shape::OneOf(&["primary", "secondary"]), "which limit"),
    field("used_percent", Shape::Number, "how much of it is used up"),
    field("window_minutes", Shape::Count, "how long its window is"),
    field("resets_at", Shape::Time, "when it starts anew"),
    field("plan_type", Shape::Text, "the plan of the account"),
    field("rows", Shape::Count, "rows in a row that told the same"),
    field("t_last", Shape::Time, "when it was told last"),
];

/// The windows of an account, as rows name them.
const WINDOWS: [&str; 2] = ["primary", "secondary"];

/// A limit, as rows in a row told it.
struct Told {
    limit: RateLimit,
    plan_type: Option<Value>,
    t: Option<i64>,
    src: Src,
    /// The row that told it last.
    last: Src,
    agreed: Agreed,
    rows: u64,
    t_last: Option<i64>,
}

impl Told {
    fn says(&self, limit: &RateLimit) -> bool {
        let same_use = self.limit.used_percent.total_cmp(&limit.used_percent).is_eq();
        same_use && self.limit.resets_at == limit.resets_at
    }

    fn record(self, window: &'static str) -> Record {
        let Self { limit, plan_type, t, src, agreed, rows, t_last, .. } = self;
        let values = vec![
            window.into(),
            limit.used_percent.into(),
            or_null(limit.window_minutes),
            or_null(limit.resets_at.and_then(|seconds| seconds.checked_mul(1000))),
            or_null(plan_type),
            rows.into(),
            or_null(t_last),
        ];
        Record { info: &INFO, t, src, head: Arc::clone(agreed.head()), values }
    }
}

#[derive(Default)]
struct RateLimits {
    /// What is told now: for each agent and window.
    told: BTreeMap<(Option<Provider>, usize), Told>,
}

impl RateLimits {
    fn window(&mut self, at: usize, limit: &RateLimit, event: &Event<'_>, out: &mut Vec<Record>) {
        let key = (event.head.provider, at);
        if let Some(told) = self.told.get_mut(&key).filter(|told| told.says(limit)) {
            told.rows += 1;
            told.t_last = told.t_last.max(event.t);
            told.last = event.src;
            told.agreed.add(event.head);
            told.limit.window_minutes = told.limit.window_minutes.or(limit.window_minutes);
            return;
        }
        let told = Told {
            limit: *limit,
            plan_type: None,
            t: event.t,
            src: event.src,
            last: event.src,
            agreed: Agreed::new(event.head),
            rows: 1,
            t_last: event.t,
        };
        let before = self.told.insert(key, told);
        out.extend(before.map(|before| before.record(WINDOWS[at])));
    }

    /// The plan stands beside the limits; a rollout's row comes as a whole after what it tells.
    fn plan(&mut self, src: Src, payload: &Value) {
        let limits = payload.get("rate_limits");
        let limits = limits.or_else(|| payload.get("payload")?.get("rate_limits"));
        let Some(plan) = limits.and_then(|limits| limits.get("plan_type")?.as_str()) else {
            return;
        };
        let of_row = self.told.values_mut().filter(|told| told.last == src);
        of_row.for_each(|told| told.plan_type = Some(plan.into()));
    }
}

impl Mode for RateLimits {
    fn feed(&mut self, row: &Row<'_>, out: &mut Vec<Record>) {
        let event = row.event;
        if event.left_out.is_some() {
            return;
        }
        if let What::TokenCount(count) = event.what {
            let windows = [count.limits.primary, count.limits.secondary];
            for (at, limit) in windows.iter().enumerate() {
                if let Some(limit) = limit.filter(|limit| limit.used_percent.is_finite()) {
                    self.window(at, &limit, event, out);
                }
            }
        }
        let of_count = |facts: &&Facts| facts.name.ends_with("token_count");
        if let Some(facts) = row.facts.filter(of_count) {
            self.plan(event.src, &facts.payload);
        }
    }

    fn finish(&mut self, out: &mut Vec<Record>) {
        let left = std::mem::take(&mut self.told);
        out.extend(left.into_iter().map(|((_, at), told)| told.record(WINDOWS[at])));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::given::{records, turn};

    fn count(ms: i64, limits: &Value) -> String {
        turn(ms, "turn.token_count", "1", &json!({"info": null, "rate_limits": limits}))
    }

    fn window(used: f64, resets_at: i64) -> Value {
        json!({"used_percent": used, "window_minutes": 300, "resets_at": resets_at})
    }

    #[test]
    fn a_record_for_each_change() {
        let limits = |used, resets_at| json!({"primary": window(used, resets_at), "secondary": null, "plan_type": "pro"});
        let rows = [
            count(1, &limits(7.0, 1_767_225_600)),
            count(2, &limits(7.0, 1_767_225_600)),
            count(3, &json!(null)),
            count(4, &limits(8.5, 1_767_225_600)),
            count(5, &limits(0.0, 1_767_243_600)),
        ];
        let found = records("rate_limits", &rows);
        assert_eq!(found.len(), 3);
        assert_eq!(
            (&found[0]["window"], &found[0]["used_percent"]),
            (&json!("primary"), &json!(7.0))
        );
        assert_eq!(
            (&found[0]["rows"], &found[0]["t_last"]),
            (&json!(2), &json!("2026-01-01T00:00:00.002Z"))
        );
        assert_eq!(
            (&found[0]["resets_at"], &found[0]["window_minutes"]),
            (&json!("2026-01-01T00:00:00.000Z"), &json!(300))
        );
        assert_eq!((&found[1]["used_percent"], &found[1]["line"]), (&json!(8.5), &json!(4)));
        assert_eq!(
            (&found[2]["resets_at"], &found[2]["plan_type"]),
            (&json!("2026-01-01T05:00:00.000Z"), &json!("pro"))
        );
    }

    #[test]
    fn windows_change_on_their_own() {
        let rows = [
            count(1, &json!({"primary": window(1.0, 10), "secondary": window(50.0, 20)})),
            count(2, &json!({"primary": window(2.0, 10), "secondary": window(50.0, 20)})),
        ];
        let found = records("rate_limits", &rows);
        let told: Vec<_> =
            found.iter().map(|r| (r["window"].as_str().unwrap(), r["rows"].as_u64())).collect();
        assert_eq!(told, [("primary", Some(1)), ("primary", Some(1)), ("secondary", Some(2))]);
        assert_eq!(found[0]["plan_type"], Value::Null);
    }

    #[test]
    fn rollouts_tell_them_too() {
        let row = json!({"timestamp": "2026-01-01T00:00:00.000Z", "type": "event_msg", "payload": {"type": "token_count",
            "info": null, "rate_limits": {"primary": window(3.0, 10), "secondary": null, "plan_type": "plus"}}});
        let found = records("rate_limits", &[row.to_string()]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (&found[0]["used_percent"], &found[0]["plan_type"]),
            (&json!(3.0), &json!("plus"))
        );
    }
}
