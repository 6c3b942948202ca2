//! Findings as text, JSON, SARIF and annotations of GitHub Actions.

mod github;
mod sarif;
mod text;

use std::io;

use clap::ValueEnum;
use paid::account::Finding;
use paid_catalog::Level;
use serde_json::{Value, json};

use crate::out;

/// How findings are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// With the lines, as the compiler writes them.
    Text,
    /// An object with `findings` (`rule`, `level`, `message`, `fix`, `file`, `line`, `column`, `signal`), `notes`, `files`,
    /// `signals` and `online`.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands, which GitHub Actions shows in the changed lines.
    Github,
}

/// What was found, and in what.
pub(super) struct Report<'a> {
    pub(super) findings: &'a [Finding],
    /// What could not be compared, in sentences.
    pub(super) notes: &'a [String],
    pub(super) files: usize,
    pub(super) signals: usize,
    pub(super) is_online: bool,
}

impl Report<'_> {
    pub(super) fn print(&self, format: Format) -> io::Result<()> {
        match format {
            Format::Text => text::print(self),
            Format::Json => out::line(out::safe_json(&format!("{:#}", self.json()))),
            Format::Sarif => out::line(out::safe_json(&format!("{:#}", sarif::log(self.findings)))),
            Format::Github => self.findings.iter().try_for_each(|finding| out::line(github::command(finding))),
        }
    }

    fn json(&self) -> Value {
        let findings: Vec<Value> = self.findings.iter().map(object).collect();
        json!({
            "findings": findings,
            "notes": self.notes,
            "files": self.files,
            "signals": self.signals,
            "online": self.is_online,
        })
    }

    fn count(&self, level: Level) -> u64 {
        self.findings.iter().filter(|finding| finding.level == level).count() as u64
    }
}

fn object(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule,
        "level": level(finding.level, "deny", "warn"),
        "message": finding.message,
        "fix": finding.fix,
        "file": shown_path(finding),
        "line": finding.place.line,
        "column": finding.place.column,
        "signal": finding.signal,
    })
}

/// A path with `/` between its parts, as URLs and GitHub write it.
fn shown_path(finding: &Finding) -> String {
    finding.place.file.display().to_string().replace('\\', "/")
}

fn level(level: Level, deny: &'static str, warn: &'static str) -> &'static str {
    if level == Level::Deny { deny } else { warn }
}
