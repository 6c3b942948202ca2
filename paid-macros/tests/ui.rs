//! What is accepted, and what is rejected with which words. `TRYBUILD=overwrite` writes the words anew; read them.
//!
//! Every catalogue needs an environment of its own, so the cases run in processes of their own.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

const CATALOGUE: &str = "PAID_SIGNALS";
const CASES: &str = "PAID_UI_CASES";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui")
}

/// Runs cases below `tests/ui` with a catalogue, or without one.
fn run(cases: &[&str], catalogue: Option<&Path>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "cases_of_the_environment", "--ignored", "--nocapture"]).env(CASES, cases.join(","));
    match catalogue {
        Some(path) => command.env(CATALOGUE, path),
        None => command.env_remove(CATALOGUE),
    };
    let output = command.output().unwrap();
    let shown = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("1 passed"), "{shown}");
}

#[test]
#[ignore = "the other tests run it, with an environment each"]
fn cases_of_the_environment() {
    let cases = trybuild::TestCases::new();
    for pattern in std::env::var(CASES).unwrap_or_default().split(',').filter(|pattern| !pattern.is_empty()) {
        let path = format!("tests/ui/{pattern}");
        if pattern.starts_with("pass") { cases.pass(path) } else { cases.compile_fail(path) }
    }
}

/// One after the other: they share trybuild's folder.
#[test]
fn accepted_and_rejected() {
    run(&["pass/*.rs", "fail/*.rs"], None);
    run(&["pass/catalog/*.rs", "fail/catalog/*.rs"], Some(&folder().join("signals.toml")));
    for case in ["syntax", "unknown_type", "contradictory_bounds", "contradictory_classes", "duplicate"] {
        let case = format!("fail/broken/catalogue_with_{case}");
        run(&[&format!("{case}.rs")], Some(&folder().join(format!("{case}.toml"))));
    }
    let lints = |level: &str| folder().join(format!("fail/lints/{level}.toml"));
    run(&["pass/lints/*.rs", "fail/lints/outcome_without_key_denied.rs"], Some(&lints("deny")));
    run(&["pass/lints/*.rs", "fail/lints/outcome_without_key_warned_of.rs"], Some(&lints("warn")));
    run(&["fail/broken/catalogue_that_is_not_there.rs"], Some(Path::new("/nowhere/signals.toml")));
}
