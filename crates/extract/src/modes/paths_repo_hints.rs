//! `paths_repo_hints`: a path, repository or branch that a session works with.

use agentlog::record::{Field, Shape};

use crate::{Info, Mode, Record, Row, Select, Takes, field};

/// The mode.
pub(super) const INFO: Info = Info {
    name: "paths_repo_hints",
    about: "a path, repository or branch that a session works with",
    sources: "all logs and captured requests",
    own: OWN,
    key: &["sid", "kind", "path"],
    table: &["t", "provider", "sid", "kind", "path", "found_in", "evidence"],
    takes: Takes { deltas: false, left_out: false, select: Select::Records },
    make: |_| Box::new(PathsRepoHints),
};

const OWN: &[Field] = &[
    field("kind", Shape::OneOf(&["cwd", "repo", "branch", "file"]), "what it is"),
    field("path", Shape::Text, "the absolute path, or the branch's name"),
    field("found_in", Shape::Text, "where it was found first: the key, tag or phrase"),
    field("evidence", Shape::Count, "how often it was found"),
    field("t_last", Shape::Time, "when it was found last"),
];

struct PathsRepoHints;

impl Mode for PathsRepoHints {
    fn feed(&mut self, _row: &Row<'_>, _out: &mut Vec<Record>) {
        todo!()
    }
}
