//! Every feature alone, and the sets that `[package.metadata.release-check] feature-sets` lists.

use anyhow::Result;

use super::verdict::Finding;
use super::workspace::{Package, Workspace, texts};
use crate::tools::program;

pub(super) fn check(workspace: &Workspace) -> Result<Finding> {
    let mut checked = 0;
    for package in workspace.publishable()? {
        for set in sets(package) {
            let arguments = ["clippy", "--quiet", "-p", &package.name, "--no-default-features", "--features", &set];
            // By clippy, because `RUSTFLAGS` would compile the dependencies again.
            let ran = program::run(workspace.cargo(&arguments).args(["--", "-D", "warnings"]))?;
            if !ran.succeeded {
                return Ok(Finding::failed_with(&format!("{} with only {set:?}", package.name), &ran));
            }
            checked += 1;
        }
    }
    Ok(Finding::pass(format!("{checked} sets of features, each feature alone among them")))
}

/// No feature, each one, and what the package lists.
fn sets(package: &Package) -> Vec<String> {
    let mut sets = vec![String::new()];
    sets.extend(package.features.keys().cloned());
    sets.extend(texts(&package.metadata, "/release-check/feature-sets"));
    sets
}
