//! Runs programs and keeps what they say.

use std::process::Command;

use anyhow::{Context, Result};

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) succeeded: bool,
    /// Standard output.
    pub(crate) output: String,
    /// Standard error.
    pub(crate) text: String,
}

impl Ran {
    /// The first line that names an error, or the last line.
    pub(crate) fn first_error(&self) -> &str {
        let lines = || self.text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines().find(|line| line.starts_with("error")).or_else(|| lines().next_back()).unwrap_or("it said nothing")
    }

    /// The program cannot reach a server that it needs.
    pub(crate) fn is_offline(&self) -> bool {
        [
            "failed to fetch",
            "Could not resolve",
            "could not resolve",
            "failed to download",
            "error sending request",
            "failed to get a 200 OK",
            "failed to get successful HTTP",
        ]
        .iter()
        .any(|sign| self.text.contains(sign))
    }
}

pub(crate) fn run(command: &mut Command) -> Result<Ran> {
    let output = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Ran { succeeded: output.status.success(), output: text(&output.stdout), text: text(&output.stderr) })
}
