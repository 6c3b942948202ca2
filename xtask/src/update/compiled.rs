//! Whether an update compiles: the generated client must, and what is written by hand may have to follow it.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// The generated client and the calls of every operation; then the workspace's other code, whose errors are returned.
pub(super) fn check(copy: &Path, target: &Path) -> Result<Vec<String>> {
    let client = cargo(copy, target, &["-p", "paid-api", "--all-features", "--lib", "--test", "round_trip"]).status();
    ensure!(client.context("cannot start cargo")?.success(), "the generated client does not compile");
    let everything = ["--workspace", "--all-features", "--all-targets", "--keep-going", "--message-format", "short"];
    let rest = cargo(copy, target, &everything).stderr(Stdio::piped()).output().context("cannot start cargo")?;
    let said = String::from_utf8_lossy(&rest.stderr);
    let errors = errors(&said);
    ensure!(rest.status.success() || !errors.is_empty(), "the workspace does not compile: {said}");
    Ok(errors)
}

fn cargo(copy: &Path, target: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_TERM_COLOR", "never")
        .args(["check", "--quiet"])
        .args(arguments);
    command
}

/// The errors that have a place: a file is compiled as a library and as a test, so each is said once.
fn errors(said: &str) -> Vec<String> {
    let mut errors: Vec<String> = Vec::new();
    for line in said.lines() {
        let is_error = line.split_once(": error").is_some_and(|(place, _)| place.matches(':').count() == 2);
        if is_error && !errors.iter().any(|known| known == line) {
            errors.push(line.to_owned());
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_said_once_and_with_its_place() {
        let said = "examples/a/src/main.rs:3:9: error[E0061]: this function takes 2 arguments but 1 argument was supplied\n\
                    paid-api/src/b.rs:7:1: warning: unused import: `c`\n\
                    examples/a/src/main.rs:3:9: error[E0061]: this function takes 2 arguments but 1 argument was supplied\n\
                    error: could not compile `a` (bin \"a\") due to 1 previous error\n";
        let expected =
            "examples/a/src/main.rs:3:9: error[E0061]: this function takes 2 arguments but 1 argument was supplied";
        assert_eq!(errors(said), [expected]);
        assert!(errors("error: no matching package named `x` found").is_empty());
    }
}
