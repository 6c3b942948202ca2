//! Embedded stores under the outbox's workload: frames of 500 signals are appended in commits, read back in order and
//! removed. They run in a separate crate, so that the workspace depends only on the chosen store.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::row::{Bar, Row};
use super::{compile, measure};
use crate::project;

const MANIFEST: &str = r#"[package]
name = "stores"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
fjall = "3.1"
redb = "4.6"
rusqlite = { version = "0.43", features = ["bundled"] }
"#;

/// 2 million signals.
const FRAMES: &str = "4000";

#[derive(Debug, Deserialize)]
struct Taken {
    append: f64,
    steady: f64,
    reopen_ms: f64,
    drain: f64,
    disk_mib: f64,
    anonymous_mib: f64,
}

pub(crate) fn rows() -> Result<Vec<Row>> {
    let root = project::root()?;
    let scratch = compile::scratch(&root);
    let folder = scratch.join("stores");
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::write(folder.join("Cargo.toml"), MANIFEST)?;
    std::fs::write(folder.join("src/main.rs"), include_str!("stores/program.rs.txt"))?;
    eprintln!("  building");
    let target = scratch.join("target");
    let output = measure::cargo(&folder, &target, &["build", "--quiet", "--release"]).output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut rows = Vec::new();
    for store in ["redb", "fjall", "sqlite"] {
        eprintln!("  {store}");
        let mut figures = serde_json::Map::new();
        // The first run is killed with everything in the store; the second run opens it.
        for run in ["fill", "drain"] {
            let output =
                Command::new(target.join("release/stores")).args([store, FRAMES, run]).current_dir(&folder).output()?;
            let said: serde_json::Map<_, _> = serde_json::from_slice(&output.stdout)
                .with_context(|| format!("{store} gave no figures: {}", String::from_utf8_lossy(&output.stderr)))?;
            figures.extend(said);
        }
        let taken: Taken = serde_json::from_value(figures.into())?;
        let note = format!(
            "{:.0} signals/s in, out and removed; {:.0} read and removed; {:.0} ms to open after a kill; {:.0} MiB on disk, {:.0} in memory",
            taken.steady, taken.drain, taken.reopen_ms, taken.disk_mib, taken.anonymous_mib
        );
        rows.push(Row::new(format!("{store}: appended and synced, signals/s"), taken.append, Bar::None, note));
    }
    Ok(rows)
}
