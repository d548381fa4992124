//! How a call went, by all that tells of it.

use crate::event::{Execution, Output};

/// How a call went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Exit code: that of the execution, else the one in the result's own metadata.
    pub exit_code: Option<i64>,
    /// Whether it failed: an exit code other than 0, `is_error`, `success:false`, `Err`. None if
    /// nothing tells.
    pub failed: Option<bool>,
}

/// Decides how a call went from the end of its (last) execution and from its result, as far as
/// they are there.
pub fn outcome(end: Option<&Execution>, result: Option<&Output>) -> Outcome {
    let exit_code = end.and_then(|end| end.exit_code).or(result.and_then(|r| r.exit_code));
    let signs = [
        exit_code.map(|code| code != 0),
        end.and_then(|end| end.failed),
        result.and_then(|result| result.failed),
    ];
    let failed = if signs.contains(&Some(true)) {
        Some(true)
    } else {
        signs.contains(&Some(false)).then_some(false)
    };
    Outcome { exit_code, failed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Phase, Tool};

    fn end(exit_code: Option<i64>, failed: Option<bool>) -> Execution {
        Execution {
            phase: Phase::End,
            tool: Tool::Shell,
            call_id: None,
            name: None,
            by_user: false,
            exit_code,
            failed,
            duration_ms: None,
            truncated: false,
        }
    }

    #[test]
    fn what_tells_of_failure() {
        let result = |exit_code, failed| Output { exit_code, failed, ..Output::default() };
        for (end, result, want) in [
            (None, None, (None, None)),
            (None, Some(result(None, None)), (None, None)),
            (None, Some(result(None, Some(true))), (None, Some(true))),
            (None, Some(result(Some(0), None)), (Some(0), Some(false))),
            (None, Some(result(Some(2), None)), (Some(2), Some(true))),
            // The execution knows its exit code better than the text that the model was given.
            (Some(end(Some(1), Some(true))), Some(result(Some(0), None)), (Some(1), Some(true))),
            (Some(end(Some(0), Some(false))), Some(result(Some(9), None)), (Some(0), Some(false))),
            (Some(end(None, Some(true))), Some(result(None, None)), (None, Some(true))),
            (Some(end(None, Some(false))), Some(result(None, Some(true))), (None, Some(true))),
        ] {
            let got = outcome(end.as_ref(), result.as_ref());
            assert_eq!((got.exit_code, got.failed), want, "{end:?} {result:?}");
        }
    }
}
