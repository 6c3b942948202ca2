//! What breaks users since the last release.

use std::process::Command;

use anyhow::{Result, ensure};

use super::verdict::Finding;
use super::workspace::Workspace;
use crate::tools::SEMVER;
use crate::tools::program;

pub(super) fn check(workspace: &Workspace) -> Result<Finding> {
    let Some(tag) = last_tag(workspace)? else {
        return Ok(Finding::pass("there is no tag `v*`: nothing is released that a change could break"));
    };
    let tool = match SEMVER.path()? {
        Ok(tool) => tool,
        Err(why) => return Ok(Finding::not_run(why)),
    };
    let mut checked = Vec::new();
    for package in workspace.publishable()?.into_iter().filter(|package| package.library().is_some()) {
        let mut command = Command::new(&tool);
        command.current_dir(&workspace.root).args(["semver-checks", "check-release", "--all-features"]);
        let ran = program::run(command.args(["--package", &package.name, "--baseline-rev", &tag]))?;
        if !ran.succeeded {
            return Ok(
                Finding::failed_with(&format!("{} since {tag}", package.name), &ran).with(ran.output + &ran.text)
            );
        }
        checked.push(package.name.as_str());
    }
    Ok(Finding::pass(format!("{} since {tag}", checked.join(", "))))
}

/// The last tag before this commit; `None` if there is no tag at all.
fn last_tag(workspace: &Workspace) -> Result<Option<String>> {
    let git = |arguments: &[&str]| program::run(Command::new("git").current_dir(&workspace.root).args(arguments));
    let tags = git(&["tag", "--list", "v*"])?;
    ensure!(tags.succeeded, "git cannot list the tags: {}", tags.output.trim());
    if tags.output.trim().is_empty() {
        let shallow = git(&["rev-parse", "--is-shallow-repository"])?;
        ensure!(
            shallow.output.trim() != "true",
            "the clone is shallow and has no tags; `git fetch --unshallow --tags` gets them"
        );
        return Ok(None);
    }
    let last = git(&["describe", "--tags", "--abbrev=0", "--match", "v*"])?;
    ensure!(
        last.succeeded,
        "there are tags, and none before this commit: is the clone shallow? {}",
        last.output.trim()
    );
    Ok(Some(last.output.trim().to_owned()))
}
