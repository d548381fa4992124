//! The small logs that the repository keeps: two clean ones that people read, one full of faults,
//! a small tree of transcripts and rollouts, and a few captured requests.
//! Written from fixed seeds, so that they can be written again and compared.

use crate::calendar::parse_stamp;
use crate::capture::{CaptureBuilder, CaptureCase, CaptureLog};
use crate::fault::Fault;
use crate::log::{Log, LogBuilder};
use crate::native::{NativeBuilder, NativeCase, NativeLog};
use crate::settings::Detail;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const PROMPTS: [&str; 12] = [
    "Why does the parser drop the last line?",
    "Add a test for a file without a final newline",
    "Run the tests again and show only the failures",
    "Which function reads the config twice?",
    "Rename read_all to read_lines everywhere",
    "Write the changelog entry for this fix",
    "What does src/reader.rs do, in three sentences?",
    "The build fails on macOS: find out why",
    "Make the error name the file and the line",
    "Is the lock still needed after this change?",
    "Measure how long a 1 GB log takes",
    "Draft the release notes, please",
];

/// Faults that show in a file of rows that can all be read by today's rules, or counted as bad.
const CODEX_FAULTS: [Fault; 18] = [
    Fault::SpacedJson,
    Fault::EscapedInner,
    Fault::MetadataObject,
    Fault::LineObject,
    Fault::PromptAfterFollowers,
    Fault::Steering,
    Fault::LegacyPrompt,
    Fault::Aborted,
    Fault::Superseded,
    Fault::Resume,
    Fault::MissingOutput,
    Fault::BadArgs,
    Fault::TornRow,
    Fault::TwoWriters,
    Fault::NotJson,
    Fault::InvalidUtf8,
    Fault::BlankLines,
    Fault::PartialTail,
];
const CLAUDE_FAULTS: [Fault; 8] = [
    Fault::EnvelopeG0,
    Fault::EnvelopeG1,
    Fault::EnvelopeG3Prime,
    Fault::DoubledPrompt,
    Fault::QueuedPrompt,
    Fault::QueuePopped,
    Fault::RoundOffByOne,
    Fault::AbandonedFlow,
];

/// A clean day of two Codex and two Claude sessions, with an aborted turn and a queued prompt.
pub fn clean() -> Log {
    let builder = LogBuilder::new(11).codex_sessions(2).claude_sessions(2).turns(2);
    let told = [Fault::Aborted, Fault::QueuedPrompt];
    builder.detail(Detail::Brief).prompts(&PROMPTS).faults(&told).build()
}

/// Many faults in two short sessions; the bytes of the Claude log come first in `faults.jsonl`.
pub fn faults() -> (Log, Log) {
    let builder = LogBuilder::new(12).turns(1).detail(Detail::Brief).prompts(&PROMPTS);
    let claude = builder.clone().codex_sessions(0).faults(&CLAUDE_FAULTS).build();
    let noon = parse_stamp("2025-11-19T05:00:00.000").unwrap_or_default();
    let codex = builder.claude_sessions(0).start_ms(noon).faults(&CODEX_FAULTS).build();
    (claude, codex)
}

const NATIVE_CASES: [NativeCase; 6] = [
    NativeCase::AgentBelow,
    NativeCase::QueuedRemoved,
    NativeCase::InterruptedTool,
    NativeCase::Steering,
    NativeCase::Reemitted,
    NativeCase::ForkBurst,
];

/// A session of each agent as it writes them by itself, with a sub-agent and a fork.
pub fn native() -> NativeLog {
    let builder = NativeBuilder::new(13).claude_sessions(1).codex_threads(1).turns(1);
    builder.prompts(&PROMPTS).cases(&NATIVE_CASES).build()
}

/// The files of a native log by their place among the fixtures: no folder there is hidden.
fn native_files() -> impl Iterator<Item = (String, Vec<u8>)> {
    native().files.into_iter().map(|file| {
        let place = file.path.trim_start_matches('.').to_owned();
        (format!("native/{place}"), file.bytes)
    })
}

/// A conversation of two requests of each agent, and what stands beside it in such folders: a
/// request to another host, and one that was cut short.
pub fn captured() -> CaptureLog {
    let builder = CaptureBuilder::new(14).claude_sessions(1).codex_sessions(1).steps(2);
    builder.case(CaptureCase::Telemetry).case(CaptureCase::CutShort).build()
}

fn captured_files() -> impl Iterator<Item = (String, Vec<u8>)> {
    captured().files.into_iter().map(|file| (format!("captured/{}", file.path), file.bytes))
}

/// Writes `codex/sse_lines.jsonl`, `claude/sse_lines.jsonl`, `faults.jsonl` and the trees `native`
/// and `captured` under `dir`.
pub fn write(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let clean = clean();
    let (claude, codex) = faults();
    let files = [
        ("codex/sse_lines.jsonl".to_owned(), clean.codex),
        ("claude/sse_lines.jsonl".to_owned(), clean.claude),
        ("faults.jsonl".to_owned(), [claude.claude, codex.codex].concat()),
    ];
    let mut paths = Vec::new();
    for (name, bytes) in files.into_iter().chain(native_files()).chain(captured_files()) {
        let path = dir.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, bytes)?;
        paths.push(path);
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::{captured, clean, faults, native};

    #[test]
    fn small_and_readable() {
        let log = clean();
        for (name, bytes) in [("codex", &log.codex), ("claude", &log.claude)] {
            assert!((4_000..60_000).contains(&bytes.len()), "{name}: {} bytes", bytes.len());
        }
        let (claude, codex) = faults();
        let size = claude.claude.len() + codex.codex.len();
        assert!(size < 300_000, "{size} bytes");
        let size: usize = native().files.iter().map(|file| file.bytes.len()).sum();
        assert!(size < 64_000, "{size} bytes");
        let size: usize = captured().files.iter().map(|file| file.bytes.len()).sum();
        assert!(size < 16_000, "{size} bytes");
        assert_eq!(log.truth.all.bad_lines, 0);
        let texts: Vec<_> =
            log.truth.prompts.iter().filter_map(|row| row["text"].as_str()).collect();
        assert!(texts.contains(&"Why does the parser drop the last line?"), "{texts:?}");
    }

    #[test]
    fn the_same_bytes_again() {
        assert_eq!(clean().codex, clean().codex);
        assert_eq!(faults().1.codex, faults().1.codex);
    }
}
