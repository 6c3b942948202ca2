//! The changelog's entry: what users of the client get, in a table, under the heading of what is not released.

use std::fmt::Write;

use anyhow::{Context, Result};

use crate::diff::{Level, Report};

const HEADING: &str = "### Paid's document\n\n";
const UNRELEASED: &str = "## Unreleased\n";

/// The changelog with an entry for this update.
pub(crate) fn with_entry(changelog: &str, report: &Report) -> Result<String> {
    let entry = entry(report);
    if entry.is_empty() {
        return Ok(changelog.to_owned());
    }
    let at = changelog.find(UNRELEASED).context("CHANGELOG.md has no heading `## Unreleased`")? + UNRELEASED.len();
    let (head, rest) = changelog.split_at(at);
    // Of two updates that are not released, both stand under one heading.
    let unreleased = rest.find("\n## ").map_or(rest, |end| &rest[..end]);
    if let Some(before) = unreleased.find(HEADING) {
        let (own, rest) = rest.split_at(before + HEADING.len());
        return Ok(format!("{head}{own}{}{rest}", entry.trim_start_matches(HEADING)));
    }
    // Above the first heading that follows, so that the section's own first lines stay first.
    let at = rest.find("\n### ").or_else(|| rest.find("\n## ")).map_or(rest.len(), |at| at + 1);
    let (own, rest) = rest.split_at(at);
    let own = if own.ends_with("\n\n") { own.to_owned() } else { format!("{own}\n") };
    Ok(format!("{head}{own}{entry}{rest}"))
}

/// Of a place that many operations show, a few are enough.
const SHOWN: usize = 6;

fn entry(report: &Report) -> String {
    let changes: Vec<_> = report.changes.iter().filter(|change| change.rust > Level::Documentation).collect();
    if changes.is_empty() {
        return String::new();
    }
    let mut text = format!("{HEADING}A {} update.\n\n| change | for you | where |\n|---|---|---|\n", report.semver);
    for change in changes {
        let mut places: Vec<_> = change.places.iter().map(|place| format!("`{}`", place.location)).collect();
        places.dedup();
        let all = places.len();
        places.truncate(SHOWN);
        if let Some(more) = all.checked_sub(SHOWN).filter(|more| *more > 0) {
            places.push(format!("{more} more"));
        }
        let what = change.what.replace('|', "\\|");
        let _ = writeln!(text, "| {what} | {} | {} |", change.rust.name(), places.join(", "));
    }
    text.push('\n');
    text
}
