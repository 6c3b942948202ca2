//! A report as text, Markdown or JSON.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::Result;

use super::report::{Entry, Place, Report};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For a terminal.
    Text,
    /// For a pull request.
    Markdown,
    /// For a program: everything, pointers and operations included.
    Json,
}

impl Report {
    pub(crate) fn rendered(&self, format: Format) -> Result<String> {
        match format {
            Format::Text => Ok(self.text()),
            Format::Markdown => Ok(self.markdown()),
            Format::Json => Ok(serde_json::to_string_pretty(self)? + "\n"),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for entry in &self.changes {
            let _ = writeln!(
                text,
                "{} [wire: {}, Rust: {}, semver: {}]",
                entry.what,
                entry.wire.name(),
                entry.rust.name(),
                entry.semver
            );
            let _ = writeln!(text, "  {}", list(&entry.checks()));
            for place in &entry.places {
                let _ = writeln!(text, "  {}", place.location);
                let _ = writeln!(text, "    {}", place.pointers());
                if !place.operations.contains(&place.location) && !place.operations.is_empty() {
                    let _ = writeln!(text, "    in {}", some(&place.operations));
                }
            }
        }
        text + &self.summary() + "\n"
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("{}\n", self.summary());
        if self.changes.is_empty() {
            return text;
        }
        text.push_str("\n| change | wire | Rust | semver | where |\n|---|---|---|---|---|\n");
        for entry in &self.changes {
            let mut places: Vec<_> = entry.places.iter().map(|place| format!("`{}`", place.location)).collect();
            // Reached over two components of one shape, a place is there twice.
            places.dedup();
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                escaped(&entry.what),
                entry.wire.name(),
                entry.rust.name(),
                entry.semver,
                escaped(&places.join(", "))
            );
        }
        text.push_str("\n<details><summary>Checks, pointers and operations</summary>\n\n");
        for entry in &self.changes {
            let _ = writeln!(text, "- **{}**: {}", escaped(&entry.what), list(&entry.checks()));
            for place in &entry.places {
                let _ = writeln!(text, "  - `{}`: `{}`; {}", place.location, place.pointers(), some(&place.operations));
            }
        }
        text.push_str("\n</details>\n");
        text
    }

    /// One line: how many changes, and what follows.
    pub(crate) fn summary(&self) -> String {
        let Some(level) = self.level else { return "No changes.".to_owned() };
        let places: usize = self.changes.iter().map(|entry| entry.places.len()).sum();
        let name = |level: Option<super::Level>| level.map_or("none", super::Level::name);
        format!(
            "{} changes in {places} places: {} (wire: {}, Rust: {}; semver: {}).",
            self.changes.len(),
            level.name(),
            name(self.wire),
            name(self.rust),
            self.semver
        )
    }
}

impl Entry {
    fn checks(&self) -> BTreeSet<String> {
        self.places.iter().flat_map(|place| place.checks.iter().cloned()).collect()
    }
}

impl Place {
    fn pointers(&self) -> String {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) if old == new => old.clone(),
            (Some(old), Some(new)) => format!("{old} -> {new}"),
            (Some(old), None) => format!("{old} (old)"),
            (None, Some(new)) => format!("{new} (new)"),
            (None, None) => String::new(),
        }
    }
}

fn list(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// A schema may be in every operation: some of them show which it is.
fn some(operations: &BTreeSet<String>) -> String {
    const SHOWN: usize = 5;
    let shown = operations.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match operations.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
