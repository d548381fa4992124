//! Logs that agents write by themselves, with a known truth: a `.claude/projects` tree and a
//! `.codex` tree below one home.

mod book;
mod case;
mod claude;
mod codex;
mod sheet;

pub use book::NativeTruth;
pub use case::NativeCase;
pub use sheet::{NativeFile, NativeStyle};

use crate::prng::Prng;
use crate::workdir::Workdir;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;

/// 2026-02-10T08:00:00.000Z
const START_MS: i64 = 1_770_710_400_000;
/// How far apart sessions start: several of them are open at any time.
const STEP_MS: i64 = 40_000;

/// The files of both agents, and their truth.
#[derive(Clone, Debug)]
pub struct NativeLog {
    /// The files, by path.
    pub files: Vec<NativeFile>,
    /// What they say.
    pub truth: NativeTruth,
}

/// Builds transcripts and rollouts. The same settings give the same bytes.
///
/// ```
/// use testkit::{NativeBuilder, NativeCase};
/// let log = NativeBuilder::new(3).turns(2).case(NativeCase::ForkBurst).build();
/// assert!(log.files.iter().any(|file| file.path.starts_with(".claude/projects/")));
/// assert_eq!(log.truth.all.bad_lines, 0);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct NativeBuilder {
    seed: u64,
    claude: usize,
    codex: usize,
    cases: BTreeSet<NativeCase>,
    settings: Settings,
}

/// What all sessions of a log share.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    turns: usize,
    start_ms: i64,
    prompts: Rc<[&'static str]>,
}

impl Settings {
    /// The text of a session's next prompt.
    fn prompt(&self, ordinal: usize, prng: &mut Prng) -> String {
        match self.prompts.len() {
            0 => prng.text(3, 40),
            len => self.prompts[ordinal % len].to_owned(),
        }
    }

    /// What an agent says.
    fn reply(&self, prng: &mut Prng) -> String {
        match self.prompts.len() {
            0 => prng.text(4, 60),
            _ => prng.pick(&REPLIES).to_owned(),
        }
    }
}

const REPLIES: [&str; 4] = [
    "The offset is counted in bytes now; all tests pass.",
    "Let me look at the test that fails first.",
    "Both files take the lock: the second one is not needed.",
    "Done. The report names the file and the line.",
];

impl NativeBuilder {
    /// Two sessions of each agent, two plain turns each.
    pub fn new(seed: u64) -> Self {
        let settings = Settings { turns: 2, start_ms: START_MS, prompts: Rc::new([]) };
        Self { seed, claude: 2, codex: 2, cases: BTreeSet::new(), settings }
    }

    /// Sessions of Claude (interleaved in time).
    pub fn claude_sessions(self, count: usize) -> Self {
        Self { claude: count, ..self }
    }

    /// Threads of Codex (interleaved in time).
    pub fn codex_threads(self, count: usize) -> Self {
        Self { codex: count, ..self }
    }

    /// Plain turns a session; cases add theirs.
    pub fn turns(mut self, turns: usize) -> Self {
        self.settings.turns = turns;
        self
    }

    /// The texts of each session's prompts, in turn; made up without.
    pub fn prompts(mut self, texts: &[&'static str]) -> Self {
        self.settings.prompts = texts.into();
        self
    }

    /// Switches a case on.
    pub fn case(mut self, case: NativeCase) -> Self {
        self.cases.insert(case);
        self
    }

    /// Switches cases on.
    pub fn cases(mut self, cases: &[NativeCase]) -> Self {
        self.cases.extend(cases);
        self
    }

    /// Writes the log as agents do.
    pub fn build(&self) -> NativeLog {
        self.build_as(NativeStyle::default())
    }

    /// Writes the log in another style: its truth is the same.
    pub fn build_as(&self, style: NativeStyle) -> NativeLog {
        let mut prng = Prng::new(self.seed);
        let (claude, codex) = (Prng::new(prng.bits()), Prng::new(prng.bits()));
        let mut truth = NativeTruth::default();
        let mut files = claude::write(claude, &self.part(self.claude, 0), style, &mut truth);
        files.extend(codex::write(codex, &self.part(self.codex, 1), style, &mut truth));
        files.sort_by(|a, b| a.path.cmp(&b.path));
        for file in files.iter().filter(|file| !file.is_copy) {
            truth.all += file.counts;
        }
        for table in [&mut truth.prompts, &mut truth.turns] {
            table
                .sort_by_cached_key(|row: &Value| row["t"].as_str().unwrap_or_default().to_owned());
        }
        NativeLog { files, truth }
    }

    fn part(&self, sessions: usize, nth: i64) -> Part<'_> {
        let mut settings = self.settings.clone();
        settings.start_ms += nth * STEP_MS / 2;
        Part { sessions, cases: &self.cases, settings }
    }
}

/// One agent's part of a log.
pub(crate) struct Part<'a> {
    sessions: usize,
    cases: &'a BTreeSet<NativeCase>,
    settings: Settings,
}

impl Part<'_> {
    fn has(&self, case: NativeCase) -> bool {
        self.cases.contains(&case)
    }

    /// When a session starts.
    fn start_of(&self, session: usize) -> i64 {
        self.settings.start_ms + session as i64 * STEP_MS
    }
}

impl NativeLog {
    /// Writes the files and gives their paths in order.
    pub fn write_to(&self, dir: &Workdir) -> Vec<PathBuf> {
        self.files.iter().map(|file| dir.write(&file.path, &file.bytes)).collect()
    }

    /// The file whose path contains the text. Panics if there is none.
    pub fn file(&self, part: &str) -> &NativeFile {
        let found = self.files.iter().find(|file| file.path.contains(part));
        found.unwrap_or_else(|| panic!("no file named like {part}"))
    }
}
