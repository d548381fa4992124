//! What a query says of time, provider, session and event reaches the reader: it may save work, and
//! never change an answer.

use super::*;

/// Filters over a view; `{a}` and `{b}` are times of rows, `{sid}` is a session.
const FILTERS: [&str; 24] = [
    "t >= TIMESTAMPTZ '{a}'",
    "t > TIMESTAMPTZ '{a}'",
    "t < TIMESTAMPTZ '{b}'",
    "t <= TIMESTAMPTZ '{b}'",
    "t = TIMESTAMPTZ '{a}'",
    "t BETWEEN '{a}' AND '{b}'",
    "t >= '{a}' AND t < '{b}'",
    "t < '{a}' OR t >= '{b}'",
    "NOT (t >= '{a}')",
    "t <> '{a}'",
    "t > TIMESTAMPTZ '{a}' - INTERVAL 500 MICROSECOND",
    "t >= TIMESTAMPTZ '{a}' + INTERVAL 500 MICROSECOND",
    "t IN ('{a}', '{b}')",
    "t IS NULL",
    "t::DATE = DATE '2025-11-18'",
    "provider = 'codex'",
    "provider = 'claude' AND t < '{b}'",
    "provider <> 'codex' AND t >= '{a}'",
    "provider IN ('claude', 'codex') OR sid = '{sid}'",
    "provider IS NULL OR sid IS NULL",
    "sid = '{sid}'",
    "sid = '{sid}' AND t > '{a}'",
    "sid LIKE '%' || right('{sid}', 6) AND provider = 'codex'",
    "sid >= '{sid}' AND t <= '{b}'",
];

/// More of them, for views whose records have such keys.
const OF_EVENTS: [&str; 6] = [
    "event = 'turn.user_message'",
    "event IN ('turn.user_message', 'user', 'claude.user_prompt')",
    "event LIKE 'turn.%'",
    "event = 'user' OR event = 'assistant'",
    "event = 'turn.user_message' AND t >= '{a}' AND provider = 'codex'",
    "event <> 'turn.user_message' AND len(event) < 12",
];

/// A view of some logs, its rows, and the values that filters compare with.
struct Bench<'a> {
    logs: &'a Logs,
    view: &'static str,
    values: [(&'static str, String); 3],
}

impl<'a> Bench<'a> {
    fn new(logs: &'a Logs, view: &'static str) -> Self {
        let query = format!("SELECT t, sid FROM {view} WHERE t IS NOT NULL ORDER BY t, sid");
        let rows = logs.rows(&query, &[]);
        let at =
            |of: usize, key: &str| rows[rows.len() * of / 4][key].as_str().unwrap_or("").into();
        let values = [("{a}", at(1, "t")), ("{b}", at(3, "t")), ("{sid}", at(2, "sid"))];
        Self { logs, view, values }
    }

    fn filled(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// Rows as sorted texts.
    fn texts(&self, query: &str) -> Vec<String> {
        let mut rows: Vec<String> =
            self.logs.rows(query, &[]).into_iter().map(|row| row.to_string()).collect();
        rows.sort();
        rows
    }

    /// The filters that change what is found, and how many rows each lets through.
    fn wrong(&self, filters: &[&str]) -> Vec<String> {
        let filters: Vec<String> = filters.iter().map(|filter| self.filled(filter)).collect();
        // Values that are asked for cannot be pushed down: all rows are read.
        let marks: Vec<String> =
            filters.iter().enumerate().map(|(i, f)| format!("({f}) IS TRUE AS f{i}")).collect();
        let all = self.logs.rows(
            &format!("SELECT * EXCLUDE (index), {} FROM {}", marks.join(", "), self.view),
            &[],
        );
        let mut wrong = Vec::new();
        for (i, filter) in filters.iter().enumerate() {
            let marked = all.iter().filter(|row| row[format!("f{i}")] == true);
            let mut want: Vec<String> = marked
                .map(|row| {
                    let mut row = row.clone();
                    let members = row.as_object_mut().expect("a row");
                    members.retain(|key, _| key[1..].parse::<usize>().is_err());
                    row.to_string()
                })
                .collect();
            want.sort();
            let query = format!("SELECT * EXCLUDE (index) FROM {} WHERE {filter}", self.view);
            let got = self.texts(&query);
            if want != got {
                let first = want
                    .iter()
                    .find(|row| !got.contains(row))
                    .or(got.iter().find(|row| !want.contains(row)));
                wrong.push(format!("{} of {} rows: {query}: {first:?}", got.len(), want.len()));
            }
        }
        wrong
    }
}

#[test]
fn filters_give_what_they_let_through() {
    let logs = Logs::both(71);
    let mut wrong = Vec::new();
    for view in &VIEWS {
        let bench = Bench::new(&logs, view.name);
        wrong.extend(bench.wrong(&FILTERS));
        if view.name == "events" {
            wrong.extend(bench.wrong(&OF_EVENTS));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_filter_does_not_change_how_rows_are_numbered() {
    let logs = Logs::both(72);
    for view in &VIEWS {
        let bench = Bench::new(&logs, view.name);
        let name = view.name;
        for filter in ["t >= '{a}'", "t < '{b}' AND provider = 'claude'", "sid = '{sid}'"] {
            let filter = bench.filled(filter);
            let pushed = bench.texts(&format!("SELECT index, src FROM {name} WHERE {filter}"));
            let opaque =
                bench.texts(&format!("SELECT index, src FROM {name} WHERE ({filter}) IS TRUE"));
            let all = bench.texts(&format!("SELECT index, src FROM {name}"));
            assert_eq!(pushed, opaque, "{name}: {filter}");
            assert!(pushed.iter().all(|row| all.contains(row)), "{name}: {filter}");
        }
    }
}

#[test]
fn a_view_can_be_joined_with_itself_under_other_filters() {
    let logs = Logs::both(73);
    for view in &VIEWS {
        let bench = Bench::new(&logs, view.name);
        let joined = |wrap: fn(&str) -> String| {
            let one = wrap(&bench.filled("t >= '{a}'"));
            let two = wrap(&bench.filled("t < '{b}'"));
            let three = wrap("provider = 'claude'");
            bench.texts(&format!(
                "SELECT one.t, one.src.line AS line, two.sid, (SELECT count(*) FROM {0} WHERE {three}) AS n \
                 FROM (SELECT * FROM {0} WHERE {one}) one \
                 JOIN (SELECT * FROM {0} WHERE {two}) two ON one.src = two.src AND one.t = two.t",
                view.name
            ))
        };
        let pushed = joined(str::to_owned);
        assert_eq!(pushed, joined(|filter| format!("({filter}) IS TRUE")), "{}", view.name);
        assert!(!pushed.is_empty(), "{}", view.name);
    }
}

#[test]
fn parameters_are_pushed_down_as_constants_are() {
    let logs = Logs::both(74);
    let bench = Bench::new(&logs, "turns");
    let [a, sid] = ["{a}", "{sid}"].map(|name| bench.filled(name));
    let query =
        "SELECT src.line AS line FROM turns WHERE t >= $a::TIMESTAMPTZ AND sid = $sid ORDER BY t";
    let given = [&format!("a={a}"), &format!("sid={sid}")];
    let args = ["--param", given[0], "--param", given[1]];
    let typed =
        format!("SELECT src.line AS line FROM turns WHERE t >= '{a}' AND sid = '{sid}' ORDER BY t");
    assert_eq!(logs.rows(query, &args), logs.rows(&typed, &[]));
}
