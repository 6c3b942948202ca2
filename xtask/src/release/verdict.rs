//! What a gate found.

use crate::tools::program::Ran;

/// Whether a gate is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Pass,
    Fail,
    NotRun,
}

impl Outcome {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::NotRun => "not run",
        }
    }
}

/// What a gate found, in one line, and what the programs said if it is not passed.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) outcome: Outcome,
    pub(super) saw: String,
    pub(super) details: String,
}

impl Finding {
    pub(super) fn pass(saw: impl Into<String>) -> Self {
        Self { outcome: Outcome::Pass, saw: saw.into(), details: String::new() }
    }

    pub(super) fn fail(saw: impl Into<String>) -> Self {
        Self { outcome: Outcome::Fail, saw: saw.into(), details: String::new() }
    }

    pub(super) fn not_run(why: impl Into<String>) -> Self {
        Self { outcome: Outcome::NotRun, saw: why.into(), details: String::new() }
    }

    pub(super) fn with(self, details: impl Into<String>) -> Self {
        Self { details: details.into(), ..self }
    }

    /// A failure of a program: its first error in the row, all that it said below.
    pub(super) fn failed_with(what: &str, ran: &Ran) -> Self {
        Self::fail(format!("{what}: {}", ran.first_error())).with(&ran.text)
    }
}
