//! The example as a user runs it.
#![allow(clippy::unwrap_used)]

use std::process::Command;

/// The output that the README shows.
fn shown_in_the_readme() -> &'static str {
    let page = include_str!("../README.md");
    let (_, output) = page.split_once("$ cargo run -p axum-scope\n").unwrap();
    output.split_once("```").unwrap().0
}

/// Lines of the hook come from a thread of its own.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn without_a_key_each_request_is_billed_to_its_customer_as_the_readme_shows() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_axum-scope"));
    let output = command.env_remove("PAID_API_KEY").env_remove("PAID_BASE_URL").output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("acme is billed for 2 of 3 signals: jane@initech.example, kim@initech.example"), "{shown}");
    assert!(shown.contains("globex is billed for 1 of 3 signals: joe@initech.example"), "{shown}");
    assert_eq!(sorted(&shown), sorted(shown_in_the_readme()));
}
