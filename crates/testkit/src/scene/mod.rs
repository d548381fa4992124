//! A whole capture directory with the truth of every mode of `alog-extract`: SSE logs of both
//! agents, a mirror, captured requests, and native logs of other sessions. One fixed story; the
//! truth is noted beside the rows that cause it.
#![allow(
    clippy::too_many_lines,
    clippy::similar_names,
    clippy::needless_pass_by_value,
    reason = "a part of the story is told in one go, in the words of the logs"
)]

mod asked;
mod claude_asks;
mod claude_first;
mod claude_pen;
mod claude_second;
mod codex_asks;
mod codex_calls;
mod codex_first;
mod codex_pen;
mod codex_second;
mod codex_tools;
mod paper;
mod rollout;
mod stage;
mod sums;
mod transcript;

use serde_json::Value;
use stage::Stage;
use std::fs;
use std::io;
use std::path::Path;

/// A capture directory like `~/centralized-logs`, with native logs of other sessions beside it.
#[derive(Clone, Copy, Debug)]
pub struct Scene;

/// What `alog-extract` must tell of the scene, mode by mode.
#[derive(Clone, Debug, Default)]
pub struct SceneTruth {
    /// One entry a mode, in the order of their names.
    pub modes: Vec<SceneMode>,
}

/// What one mode must tell.
#[derive(Clone, Debug)]
pub struct SceneMode {
    /// Its name.
    pub mode: &'static str,
    /// The records in order of time, ties by place; a key that one leaves out is not sure.
    pub records: Vec<Value>,
    /// A key, and the values of it: only records with one of these are in the truth.
    pub only: Option<(&'static str, &'static [&'static str])>,
    /// Keys by which records find their counterparts where the order is not sure.
    pub by: &'static [&'static str],
}

impl SceneMode {
    /// Whether the truth speaks of such records.
    pub fn speaks_of(&self, record: &Value) -> bool {
        self.only.is_none_or(|(key, values)| {
            let told = &record[key];
            let told = told.as_str().map_or_else(|| told.to_string(), str::to_owned);
            values.contains(&&*told)
        })
    }
}

impl SceneTruth {
    /// What the mode must tell; none if the scene says nothing of it.
    pub fn of(&self, mode: &str) -> Option<&SceneMode> {
        self.modes.iter().find(|truth| truth.mode == mode)
    }
}

/// Modes of which only some records are sure: a key, and its values that are.
const ONLY: [(&str, &str, &[&str]); 4] = [
    // What is expected of counts has no list of names.
    ("event_counts", "kind", &["event"]),
    // How many large rows and limits are told is not laid down.
    ("sizes", "kind", &["event"]),
    // Which events are worth a paragraph is not laid down.
    ("transcript", "role", &["user", "assistant", "thinking", "tool", "tool_result"]),
    // Which messages of the agent in the user's name are told is not laid down.
    ("user_prompts", "injected", &["false"]),
];

/// Modes whose order is not sure, with the keys that tell their records apart.
const BY: [(&str, &[&str]); 13] = [
    ("event_counts", &["provider", "name"]),
    ("sizes", &["event"]),
    ("transcript", &["sid", "role", "call_id", "text"]),
    ("token_usage", &["by", "sid", "model", "day", "session_turn", "call"]),
    ("tool_usage_stats", &["provider", "kind", "name"]),
    ("headers", &["provider", "name"]),
    ("paths_repo_hints", &["sid", "kind", "path"]),
    ("tools_defined", &["sid", "name", "bytes"]),
    ("system_prompts", &["sid", "text"]),
    ("reminders_policies", &["sid", "rule", "found_in"]),
    ("function_call_errors", &["sid", "call_id"]),
    ("rate_limits", &["window", "used_percent", "resets_at"]),
    ("call_linkage", &["sid", "link", "call", "call_id"]),
];

impl Scene {
    /// Writes the files below a directory and gives their truth. The same bytes each time, and a
    /// truth that differs only in the directory's name.
    ///
    /// # Errors
    /// The directory cannot be written to.
    pub fn write(dir: &Path) -> io::Result<SceneTruth> {
        let mut stage = Stage::default();
        codex_first::play(&mut stage);
        codex_second::play(&mut stage);
        claude_first::play(&mut stage);
        claude_second::play(&mut stage);
        transcript::play(&mut stage);
        rollout::play(&mut stage);
        codex_asks::play(&mut stage);
        claude_asks::play(&mut stage);
        let done = stage.finish(dir);
        for (path, bytes) in &done.files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap_or(dir))?;
            fs::write(path, bytes)?;
        }
        let mode = |(mode, records): (&'static str, Vec<Value>)| SceneMode {
            mode,
            records,
            only: ONLY.iter().find(|(name, ..)| *name == mode).map(|(_, key, some)| (*key, *some)),
            by: BY.iter().find(|(name, _)| *name == mode).map_or(&[], |(_, keys)| *keys),
        };
        Ok(SceneTruth { modes: done.notes.into_iter().map(mode).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::Scene;
    use crate::workdir::Workdir;
    use std::fs;

    #[test]
    fn the_scene_is_always_the_same() {
        let (one, two) = (Workdir::new(), Workdir::new());
        let [truth, again] = [&one, &two].map(|dir| Scene::write(dir.path()).expect("a folder"));
        let told = |dir: &Workdir, truth: &super::SceneTruth| {
            format!("{truth:?}").replace(&dir.path().display().to_string(), "")
        };
        assert_eq!(told(&one, &truth), told(&two, &again));
        for name in ["codex/sse_lines.jsonl", "claude/sse_lines.jsonl", "claude/sessions.jsonl"] {
            let read = |dir: &Workdir| fs::read(dir.path().join(name)).expect("a log");
            assert!(read(&one) == read(&two) && !read(&one).is_empty(), "{name}");
        }
    }
}
