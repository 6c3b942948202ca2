//! `signals diff`: the catalogue against a git revision.

use std::path::Path;
use std::process::Command;

use clap::Args;
use paid::account::{Change, changes};
use paid_catalog::Catalog;
use serde_json::{Value, json};

use super::workspace::named;
use crate::options::Catalogue;
use crate::outcome::Outcome;
use crate::{catalogue, out};

const CODES: &str = "Exit codes:
  0  nothing changed that breaks a program
  1  breaking changes, or something failed: standard error says what
  2  the arguments are wrong";

#[derive(Args)]
#[command(after_help = CODES)]
pub(crate) struct Diff {
    /// The git revision that it is compared with, such as HEAD~1, main or v1.2.0.
    #[arg(value_name = "REV")]
    revision: String,
    #[command(flatten)]
    catalogue: Catalogue,
    /// Print JSON: `breaking` and `changes`, each with `of`, `what` and `breaking`.
    #[arg(long)]
    json: bool,
}

pub(crate) fn diff(diff: &Diff) -> Outcome {
    let path = catalogue::path(&diff.catalogue)?;
    let new = catalogue::read(&path)?;
    let old = at_revision(&path, &diff.revision)?;
    let old = Catalog::parse(&old).map_err(|problems| {
        named(Path::new(&format!("{} of {}", path.display(), diff.revision)), &problems.to_string())
    })?;
    let changes = changes(&old, &new);
    let is_breaking = changes.iter().any(|change| change.is_breaking);
    if diff.json {
        let listed: Vec<Value> = changes.iter().map(object).collect();
        let report = json!({ "breaking": is_breaking, "changes": listed });
        out::line(out::safe_json(&serde_json::to_string_pretty(&report)?))?;
    } else {
        report(&changes, &diff.revision)?;
    }
    if is_breaking { Err(String::new().into()) } else { Ok(()) }
}

fn object(change: &Change) -> Value {
    json!({ "of": change.of, "what": change.what, "breaking": change.is_breaking })
}

fn report(changes: &[Change], revision: &str) -> std::io::Result<()> {
    if changes.is_empty() {
        return out::line(format_args!("nothing changed since {}", out::visible(revision)));
    }
    for (title, is_breaking) in [("breaking", true), ("not breaking", false)] {
        let mut of_kind = changes.iter().filter(|change| change.is_breaking == is_breaking).peekable();
        if of_kind.peek().is_some() {
            out::line(format_args!("{title}:"))?;
        }
        for change in of_kind {
            out::line(format_args!("  {}: {}", out::visible(&change.of), out::visible(&change.what)))?;
        }
    }
    Ok(())
}

/// The text of a file as a revision has it.
fn at_revision(path: &Path, revision: &str) -> Result<String, Box<dyn std::error::Error>> {
    if revision.starts_with('-') || revision.contains(':') {
        return Err(format!("{revision:?} is no git revision").into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let shown = Command::new("git").arg("-C").arg(folder).args(["show", &format!("{revision}:./{name}")]).output();
    let shown = shown.map_err(|error| format!("cannot run git: {error}"))?;
    if !shown.status.success() {
        let said = String::from_utf8_lossy(&shown.stderr).trim().to_owned();
        return Err(format!("git has no {name} of {revision}: {said}").into());
    }
    Ok(String::from_utf8(shown.stdout)?)
}
