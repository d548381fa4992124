//! The examples in the documents, run as they are written: in a `console` block a line that starts
//! with `$ ` is a command, the lines after it are its output, and a line `...` stands for any lines.

mod example;

use crate::programs::{ALOG, repository, skip};
use example::{Example, examples};
use std::fs;
use std::path::{Path, PathBuf};
use testkit::Cmd;

/// Programs that examples may use besides ours and those that every system has.
const TOOLS: [&str; 8] = ["jq", "duckdb", "python3", "rg", "zstd", "gzip", "column", "sqlite3"];

fn documents() -> Vec<PathBuf> {
    let folders = ["docs/commands", "docs", "."].map(|folder| repository().join(folder));
    let files = folders.iter().flat_map(fs::read_dir).flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    files.sort();
    files
}

fn shell(command: &str) -> Cmd {
    let programs = Path::new(ALOG).parent().expect("the folder of the programs");
    let path = std::env::var("PATH").unwrap_or_default();
    let shell = Cmd::new("sh").args(["-c", command]).cwd(&repository().join("tests/fixtures"));
    let shell = shell.env("PATH", format!("{}:{path}", programs.display()));
    shell.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1")
}

/// The first tool of an example that is not here.
fn missing_tool(example: &Example) -> Option<&'static str> {
    let asks_in_sql = ["alog-sql", "alog sql"].iter().any(|name| example.command.contains(name));
    if asks_in_sql && cfg!(not(feature = "sql")) {
        return Some("alog-sql: cargo test --features sql");
    }
    let words: Vec<&str> = example.command.split(|c: char| !c.is_alphanumeric()).collect();
    let here =
        |tool: &str| Cmd::new("sh").args(["-c", "command -v \"$0\"", tool]).run().code == Some(0);
    TOOLS.into_iter().find(|tool| words.contains(tool) && !here(tool))
}

/// What is wrong with an example, if something is.
fn fault(example: &Example) -> Option<String> {
    let ran = shell(&example.command).run();
    let printed = String::from_utf8_lossy(&ran.stdout).into_owned();
    let place = format!("{}:{}: $ {}", example.file.display(), example.line, example.command);
    (!example.allows(&printed)).then(|| {
        format!(
            "{place}\n--- expected\n{}--- printed\n{printed}--- said\n{}",
            example.output, ran.stderr
        )
    })
}

#[test]
fn the_examples_print_what_they_say() {
    let (mut faults, mut count) = (Vec::new(), 0);
    for file in documents() {
        let text = fs::read_to_string(&file).expect("a document");
        for example in examples(&file, &text) {
            if let Some(tool) = missing_tool(&example) {
                skip(&format!("{}:{} needs {tool}", example.file.display(), example.line));
                continue;
            }
            count += 1;
            faults.extend(fault(&example));
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {count} examples are wrong:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn every_command_has_a_page_with_an_example() {
    let pages = repository().join("docs/commands");
    if !pages.exists() {
        crate::programs::skip("no docs/commands");
        return;
    }
    for entry in fs::read_dir(repository().join("bin")).expect("the folder of programs") {
        let command = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let page = pages.join(format!("{command}.md"));
        let text = fs::read_to_string(&page).unwrap_or_default();
        let names_it =
            |example: &Example| example.command.split_whitespace().any(|word| word == command);
        assert!(
            examples(&page, &text).iter().any(names_it),
            "no example of {command} in {}",
            page.display()
        );
    }
}

#[test]
fn the_fixtures_are_what_the_testkit_makes() {
    let dir = testkit::Workdir::new();
    for made in testkit::fixtures::write(dir.path()).expect("fixtures") {
        let name = made.strip_prefix(dir.path()).expect("a file in the folder");
        let kept = repository().join("tests/fixtures").join(name);
        assert!(fs::read(&made).ok() == fs::read(&kept).ok(), "{}: run make docs", name.display());
    }
}
