//! Finding examples in Markdown, and comparing output with what an example allows.

use std::path::{Path, PathBuf};

/// A command in a document, and what it should print.
#[derive(Debug)]
pub struct Example {
    pub file: PathBuf,
    /// The line of the command, from 1.
    pub line: usize,
    pub command: String,
    /// The expected output; a line `...` stands for any lines.
    pub output: String,
}

/// All examples of a document. A command goes on in the next line after a backslash, or until its
/// quotes are closed.
pub fn examples(file: &Path, text: &str) -> Vec<Example> {
    let (mut found, mut inside): (Vec<Example>, bool) = (Vec::new(), false);
    let mut open: Option<Example> = None;
    for (i, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            inside = !inside && line.trim() == "```console";
            found.extend(open.take());
        } else if !inside {
        } else if let Some(command) = line.strip_prefix("$ ") {
            found.extend(open.take());
            let (file, command) = (file.to_owned(), command.to_owned());
            open = Some(Example { file, line: i + 1, command, output: String::new() });
        } else if let Some(example) = &mut open {
            if example.output.is_empty() && goes_on(&example.command) {
                example.command.push('\n');
                example.command.push_str(line.strip_prefix("> ").unwrap_or(line));
            } else {
                example.output.push_str(line);
                example.output.push('\n');
            }
        }
    }
    found
}

fn goes_on(command: &str) -> bool {
    command.ends_with('\\') || command.matches('\'').count() % 2 == 1
}

impl Example {
    /// Whether that is the output that was promised.
    pub fn allows(&self, printed: &str) -> bool {
        let want: Vec<&str> = self.output.lines().collect();
        fits(&want, &printed.lines().collect::<Vec<_>>())
    }
}

fn fits(want: &[&str], got: &[&str]) -> bool {
    match want {
        [] => got.is_empty(),
        ["...", rest @ ..] => (0..=got.len()).any(|skip| fits(rest, &got[skip..])),
        [line, rest @ ..] => got.first() == Some(line) && fits(rest, &got[1..]),
    }
}

#[test]
fn examples_are_found_with_their_output() {
    let text = "text\n```console\n$ echo 'a\nb'\na\nb\n$ true\n```\n```sh\n$ no\n```\n```console\n$ x \\\n  y\n```\n";
    let found: Vec<(usize, String, String)> = examples(Path::new("d.md"), text)
        .into_iter()
        .map(|example| (example.line, example.command, example.output))
        .collect();
    let want = [(3, "echo 'a\nb'", "a\nb\n"), (7, "true", ""), (13, "x \\\n  y", "")];
    assert_eq!(found, want.map(|(line, command, output)| (line, command.into(), output.into())));
}

#[test]
fn an_ellipsis_stands_for_any_lines() {
    assert!(
        fits(&["a", "...", "z"], &["a", "z"]) && fits(&["a", "...", "z"], &["a", "z", "y", "z"])
    );
    assert!(fits(&["..."], &[]) && fits(&["a", "..."], &["a", "b"]));
    assert!(
        !fits(&["a", "...", "z"], &["a", "y"]) && !fits(&["a"], &["a", "b"]) && !fits(&["a"], &[])
    );
}
