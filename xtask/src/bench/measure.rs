//! Time and peak memory of a command. It runs below a separate process that has no other children.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// The time and memory that a command took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Taken {
    pub(crate) seconds: f64,
    /// The largest resident size of any one process it ran.
    pub(crate) peak_mib: f64,
}

/// Runs a command and measures it; shows its output only if it fails.
pub(crate) fn command(command: &Command) -> Result<Taken> {
    let mut outer = Command::new(std::env::current_exe()?);
    outer.arg("measured").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        outer.current_dir(folder);
    }
    let output = outer.output().context("cannot start the measuring process")?;
    if !output.status.success() {
        bail!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("the measuring process gave no measurement")
}

/// The measuring process: `xtask measured PROGRAM ARGUMENTS...`.
pub(crate) fn run(program: &[String]) -> Result<()> {
    let (name, arguments) = program.split_first().context("no program to measure")?;
    let begun = Instant::now();
    let output = Command::new(name).args(arguments).output().with_context(|| format!("cannot run {name}"))?;
    let seconds = begun.elapsed().as_secs_f64();
    if !output.status.success() {
        bail!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    // Linux reports KiB.
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    #[allow(clippy::cast_precision_loss)]
    let taken = Taken { seconds, peak_mib: peak as f64 / 1024.0 };
    println!("{}", serde_json::to_string(&taken)?);
    Ok(())
}

/// A cargo command in a manifest's folder, with the benchmark's own target folder and without incremental compilation.
pub(crate) fn cargo(folder: &Path, target: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command
        .current_dir(folder)
        .args(arguments)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TERM_COLOR", "never")
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTC_WRAPPER");
    command
}
