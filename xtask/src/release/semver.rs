//! What breaks users since the last release.

use std::process::Command;

use anyhow::Result;

use super::program;
use super::tools::SEMVER;
use super::verdict::Finding;
use super::workspace::Workspace;

pub(super) fn check(workspace: &Workspace) -> Result<Finding> {
    let Some(tag) = last_tag(workspace)? else {
        return Ok(Finding::not_run("there is no tag `v*`: nothing is released that a change could break"));
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

fn last_tag(workspace: &Workspace) -> Result<Option<String>> {
    let mut git = Command::new("git");
    let ran =
        program::run(git.current_dir(&workspace.root).args(["describe", "--tags", "--abbrev=0", "--match", "v*"]))?;
    Ok(ran.succeeded.then(|| ran.output.trim().to_owned()))
}
