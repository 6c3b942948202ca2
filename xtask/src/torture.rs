//! `cargo xtask torture`: runs the simulator, which is in `xtask/torture`.

use std::process::Command;

use anyhow::{Result, bail};

use crate::project;

/// Builds the simulator and runs it with these arguments.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let root = project::root()?;
    let mut command = Command::new("cargo");
    command.current_dir(&root).args(["run", "--quiet", "--release", "-p", "torture", "--"]).args(arguments);
    if !command.status()?.success() {
        bail!("a claim does not hold");
    }
    Ok(())
}
