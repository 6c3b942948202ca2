//! What the libraries offer, compared with the listing in `api/`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use similar::TextDiff;

use super::docs::unstable_rustdoc;
use super::verdict::Finding;
use super::workspace::{Package, Workspace};
use crate::tools::PUBLIC_API;
use crate::tools::program::{self, Ran};

const REMEDY: &str = "if it is meant: `cargo xtask release-check --gate public-api --update`";

pub(super) fn check(workspace: &Workspace, update: bool) -> Result<Finding> {
    let tool = match PUBLIC_API.path()? {
        Ok(tool) => tool,
        Err(why) => return Ok(Finding::not_run(why)),
    };
    let mut lines = 0;
    for package in workspace.publishable()? {
        let Some(library) = package.library() else { continue };
        let described = describe(workspace, package)?;
        if !described.succeeded {
            return Ok(Finding::failed_with(&package.name, &described));
        }
        let listing = list(&tool, &workspace.target.join("doc").join(format!("{library}.json")))?;
        if !listing.succeeded {
            return Ok(Finding::failed_with(&package.name, &listing));
        }
        let path = workspace.root.join("api").join(format!("{}.txt", package.name));
        if update {
            std::fs::create_dir_all(workspace.root.join("api"))?;
            std::fs::write(&path, &listing.output).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let Ok(committed) = std::fs::read_to_string(&path) else {
            return Ok(Finding::fail(format!(
                "{}: there is no listing api/{}.txt; {REMEDY}",
                package.name, package.name
            )));
        };
        if committed != listing.output {
            return Ok(differs(package, &committed, &listing.output));
        }
        lines += listing.output.lines().count();
    }
    Ok(Finding::pass(format!("{lines} public items, as in api/")))
}

fn differs(package: &Package, committed: &str, now: &str) -> Finding {
    let diff =
        TextDiff::from_lines(committed, now).unified_diff().context_radius(0).header("committed", "now").to_string();
    let count = |sign| diff.lines().skip(2).filter(|line| line.starts_with(sign)).count();
    Finding::fail(format!("{}: {} items are new, {} are gone; {REMEDY}", package.name, count('+'), count('-')))
        .with(diff)
}

/// rustdoc's JSON.
fn describe(workspace: &Workspace, package: &Package) -> Result<Ran> {
    let rustdoc = unstable_rustdoc()?;
    let mut command = workspace.cargo(&["rustdoc", "--quiet", "-p", &package.name, "--lib", "--all-features", "--"]);
    command.args(["-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"]);
    program::run(command.env("RUSTDOC", &rustdoc))
}

/// Without the implementations that every type has.
fn list(tool: &PathBuf, json: &Path) -> Result<Ran> {
    let mut command = std::process::Command::new(tool);
    program::run(
        command.arg("--rustdoc-json").arg(json).args(["--omit", "blanket-impls,auto-trait-impls,auto-derived-impls"]),
    )
}
