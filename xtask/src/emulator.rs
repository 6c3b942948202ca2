//! `cargo xtask emulator`: builds and runs the library's program `paid-emulator`. xtask does not call the emulator itself,
//! because it must not depend on the code that it generates.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::project;

/// Runs the emulator until it is stopped.
pub(crate) fn run(port: u16, others: &[String]) -> Result<()> {
    let status = Command::new("cargo")
        .current_dir(project::root()?)
        .args(["run", "--quiet", "-p", "paid-api", "--features", "emulator-cli", "--bin", "paid-emulator", "--"])
        .args(["--port", &port.to_string()])
        .args(others)
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("the emulator ended with {status}");
    }
    Ok(())
}
