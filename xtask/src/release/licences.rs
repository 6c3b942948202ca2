//! The licences, sources and advisories of dependencies, by cargo-deny and the committed `deny.toml`.

use std::process::Command;

use anyhow::Result;

use super::verdict::Finding;
use super::workspace::Workspace;
use crate::tools::DENY;
use crate::tools::program::{self, Ran};

pub(super) fn check(workspace: &Workspace) -> Result<Finding> {
    deny(workspace, &["bans", "licenses", "sources"], |_| None)
}

pub(super) fn advisories(workspace: &Workspace) -> Result<Finding> {
    deny(workspace, &["advisories"], |ran| {
        let why = "the database of advisories cannot be fetched; `cargo deny check advisories` needs the network";
        ran.is_offline().then(|| Finding::not_run(why))
    })
}

fn deny(workspace: &Workspace, checks: &[&str], excuse: impl Fn(&Ran) -> Option<Finding>) -> Result<Finding> {
    if !workspace.root.join("deny.toml").is_file() {
        return Ok(Finding::fail("there is no deny.toml"));
    }
    let tool = match DENY.path()? {
        Ok(tool) => tool,
        Err(why) => return Ok(Finding::not_run(why)),
    };
    let mut command = Command::new(tool);
    let ran = program::run(command.current_dir(&workspace.root).args(["--all-features", "check"]).args(checks))?;
    if ran.succeeded {
        return Ok(Finding::pass(format!("{}, by deny.toml", checks.join(", "))));
    }
    Ok(excuse(&ran).unwrap_or_else(|| Finding::failed_with("cargo-deny", &ran)))
}
