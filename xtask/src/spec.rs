//! `cargo xtask spec`: takes a published document in, and says what changed between two.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::diff::{self, Format, Level};
use crate::names::{Decisions, NameTable};
use crate::{document, import, project, sync};

/// Reads the published document at `path` and writes `openapi/paid-v2.json`.
pub(crate) fn import(path: &Path) -> Result<()> {
    let root = project::root()?;
    let names = NameTable::load(&root.join("openapi/names.yaml"))?;
    let (canonical, report) = import::canonicalise(document::load(path)?, &names, Decisions::Required)?;
    let target = root.join("openapi/paid-v2.json");
    sync::replace(&target, &document::to_canonical_json(&canonical))
        .with_context(|| format!("cannot write {}", target.display()))?;
    eprintln!(
        "openapi/paid-v2.json: {} operations, {} components ({} published)",
        report.operations, report.components.1, report.components.0
    );
    for name in &report.undecided {
        eprintln!("  new: `{name}`: add it to `keep` in openapi/names.yaml, or rename it there");
    }
    eprintln!("next: cargo xtask codegen");
    Ok(())
}

/// From which level on a diff exits with its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FailOn {
    Documentation,
    Additive,
    Breaking,
    Never,
}

impl FailOn {
    /// 2 for breaking, 1 for less, 0 for nothing and for what is below this level.
    fn code(self, level: Option<Level>) -> u8 {
        let from = match self {
            Self::Documentation => Level::Documentation,
            Self::Additive => Level::Additive,
            Self::Breaking => Level::Breaking,
            Self::Never => return 0,
        };
        match level.filter(|level| *level >= from) {
            Some(Level::Breaking) => 2,
            Some(Level::Additive | Level::Documentation) => 1,
            None => 0,
        }
    }
}

/// Prints what changed between two documents.
pub(crate) fn diff(old: &Path, new: &Path, format: Format, fail_on: FailOn) -> Result<ExitCode> {
    let report = compare(old, new)?;
    print!("{}", report.rendered(format)?);
    Ok(ExitCode::from(fail_on.code(report.level)))
}

fn compare(old: &Path, new: &Path) -> Result<diff::Report> {
    let load = |path: &Path| {
        let document = document::load(path)?;
        import::check_version(&document).with_context(|| path.display().to_string())?;
        Ok::<_, anyhow::Error>(document)
    };
    diff::compare(&load(old)?, &load(new)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_the_level_from_the_chosen_one_on() {
        for (fail_on, codes) in [
            (FailOn::Documentation, [0, 1, 1, 2]),
            (FailOn::Additive, [0, 0, 1, 2]),
            (FailOn::Breaking, [0, 0, 0, 2]),
            (FailOn::Never, [0, 0, 0, 0]),
        ] {
            let levels = [None, Some(Level::Documentation), Some(Level::Additive), Some(Level::Breaking)];
            assert_eq!(levels.map(|level| fail_on.code(level)), codes, "{fail_on:?}");
        }
    }
}
