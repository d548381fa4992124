//! The tables of the command's page say what is there.

use super::*;

fn page() -> String {
    let path = repository().join("docs/commands/alog-sql.md");
    std::fs::read_to_string(path).expect("the page")
}

/// The cells of the table below a heading; code is taken out of its backticks.
fn table(heading: &str) -> Vec<Vec<String>> {
    let page = page();
    let (_, below) = page.split_once(&format!("\n{heading}\n")).expect(heading);
    let section = below.lines().take_while(|line| !line.starts_with('#'));
    let rows = section.skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    let cell = |cell: &str| cell.trim().replace('`', "");
    rows.map(|row| row.trim_matches('|').split(" | ").map(cell).collect()).collect()
}

#[test]
fn the_page_has_the_types_of_all_columns() {
    for view in &VIEWS {
        let query = format!("SELECT column_name, column_type FROM (DESCRIBE {})", view.name);
        let ran = Cmd::new(SQL).args([&query, "-"]).stdin(b"").run().expect_code(0);
        let text = |row: &Value, key: &str| row[key].as_str().expect("a text").to_owned();
        let types: Vec<Vec<String>> = ran
            .rows()
            .iter()
            .map(|row| vec![text(row, "column_name"), short(&text(row, "column_type"))])
            .collect();
        assert_eq!(table(&format!("### {}", view.name)), types, "{}", view.name);
    }
}

/// The names of types as the page writes them.
fn short(kind: &str) -> String {
    let src = "STRUCT(path VARCHAR, line BIGINT, \"offset\" BIGINT, len BIGINT)";
    kind.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ").replace(src, "SRC")
}

#[test]
fn the_page_has_all_queries_that_come_along() {
    let listed = super::named::listed();
    let want: Vec<Vec<String>> = listed
        .into_iter()
        .map(|(name, about, parameters)| vec![name, about, parameters.join("; ")])
        .collect();
    assert_eq!(table("## Queries that come with it"), want);
}

#[test]
fn the_page_has_all_flags_of_its_own() {
    let help = Cmd::new(SQL).arg("--help").run().expect_code(0);
    let page = page();
    for word in help.text().split_whitespace().filter(|word| word.starts_with("--")) {
        let flag: String = word.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
        // Flags that every command has are told by their words in the tables.
        assert!(page.contains(&flag), "{flag} is not on the page");
    }
}
