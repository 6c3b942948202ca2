//! `cargo xtask spec import`: takes a published document in.

use std::path::Path;

use anyhow::{Context, Result};

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
