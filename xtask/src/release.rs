//! `cargo xtask release-check`: a row for each gate that a release has to pass, and exit code 1 if one fails. A gate that
//! cannot run here says why, and fails nothing.

mod docs;
mod features;
mod licences;
mod minimal;
mod msrv;
mod packed;
mod public_api;
mod semver;
mod verdict;
mod workspace;

use std::path::PathBuf;

use anyhow::{Result, bail};
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use verdict::{Finding, Outcome};
use workspace::Workspace;

/// What a release has to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Gate {
    /// The public API is the one that is committed in `api/`.
    PublicApi,
    /// Nothing breaks since the last tag, unless the version says so.
    Semver,
    /// The packages build from their packed files alone, and so does a new crate that uses them.
    Packed,
    /// The licences and sources of all dependencies are allowed by `deny.toml`.
    Licences,
    /// No dependency has a published advisory.
    Advisories,
    /// The lowest versions that the manifests allow are enough.
    Minimal,
    /// Every feature alone, and the sets in `package.metadata.release-check`.
    Features,
    /// The docs as docs.rs builds them.
    Docs,
    /// The `rust-version` of every package is enough.
    Msrv,
}

/// What to check.
pub(crate) struct Options {
    /// Only these gates; all if it is empty.
    pub(crate) gates: Vec<Gate>,
    /// The workspace's root.
    pub(crate) root: PathBuf,
    /// Write what is compared with a committed file, instead of comparing it.
    pub(crate) update: bool,
    /// A gate that cannot run is one that fails.
    pub(crate) all_must_run: bool,
}

/// Runs the gates and prints their table; fails if one of them fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let workspace = Workspace::read(&options.root)?;
    let all = <Gate as clap::ValueEnum>::value_variants();
    let gates = if options.gates.is_empty() { all } else { options.gates.as_slice() };
    let mut rows = Vec::new();
    for gate in gates {
        eprintln!("{} ...", name(*gate));
        let finding =
            check(*gate, &workspace, options.update).unwrap_or_else(|error| Finding::fail(format!("{error:#}")));
        if !finding.details.is_empty() {
            eprintln!("{}\n", finding.details.trim_end());
        }
        rows.push((*gate, finding));
    }
    println!("{}", table(&rows));
    let count = |outcome| rows.iter().filter(|(_, finding)| finding.outcome == outcome).count();
    if count(Outcome::NotRun) > 0 {
        println!("{} gate(s) could not run here; their rows say why", count(Outcome::NotRun));
    }
    if options.all_must_run && count(Outcome::NotRun) > 0 {
        bail!("{} gate(s) could not run, and `--all-must-run` was given", count(Outcome::NotRun));
    }
    if count(Outcome::Fail) > 0 {
        bail!("{} gate(s) failed", count(Outcome::Fail));
    }
    Ok(())
}

fn check(gate: Gate, workspace: &Workspace, update: bool) -> Result<Finding> {
    match gate {
        Gate::PublicApi => public_api::check(workspace, update),
        Gate::Semver => semver::check(workspace),
        Gate::Packed => packed::check(workspace),
        Gate::Licences => licences::check(workspace),
        Gate::Advisories => licences::advisories(workspace),
        Gate::Minimal => minimal::check(workspace),
        Gate::Features => features::check(workspace),
        Gate::Docs => docs::check(workspace),
        Gate::Msrv => msrv::check(workspace),
    }
}

fn name(gate: Gate) -> String {
    clap::ValueEnum::to_possible_value(&gate).map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn table(rows: &[(Gate, Finding)]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["gate", "", "what it saw"]);
    for (gate, finding) in rows {
        table.add_row([&name(*gate), finding.outcome.word(), &finding.saw]);
    }
    table
}
