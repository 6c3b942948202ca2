//! Documents of others: each becomes a crate that compiles without a warning, and every operation of it makes a round trip.
//! The small ones here are always tested; those in `../shared` where that is.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

/// Generates the crate with its round trips.
fn generate(document: &Path, folder: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["codegen", "--spec"])
        .arg(document)
        .arg("--out")
        .arg(folder)
        .env("PAID_CODEGEN_ROUND_TRIP", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}: {}", document.display(), String::from_utf8_lossy(&output.stderr));
    let harness = std::fs::read_dir(root().join("xtask/harness")).unwrap().map(|file| file.unwrap().path());
    // How JSON is compared is the same as in the round trip of our own operations.
    for path in harness.chain([root().join("paid-api/tests/round_trip/same.rs")]) {
        std::fs::copy(&path, folder.join("tests/round_trip").join(path.file_name().unwrap())).unwrap();
    }
    let by_hand = document.with_extension("rs");
    if by_hand.is_file() {
        std::fs::copy(by_hand, folder.join("tests/by_hand.rs")).unwrap();
    }
    let text = std::fs::read_to_string(document).unwrap();
    std::fs::write(folder.join("tests/round_trip/document.json"), as_json(&text).to_string()).unwrap();
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    std::fs::write(folder.join("Cargo.toml"), manifest + DEPENDENCIES).unwrap();
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
}

/// As YAML 1.2 has it.
fn as_json(text: &str) -> serde_json::Value {
    let budget = serde_saphyr::budget! { max_nodes: 5_000_000, max_events: 10_000_000 };
    let options = serde_saphyr::options! {
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        leading_zero_numbers_as_strings: true,
        budget: budget,
    };
    serde_json::from_str(text).unwrap_or_else(|_| serde_saphyr::from_str_with_options(text, options).unwrap())
}

/// Of the versions that the workspace has; a warning is an error.
const DEPENDENCIES: &str = r#"
[dev-dependencies]
axum = { version = "0.8.9", default-features = false, features = ["http1", "tokio"] }
jsonschema = { version = "0.61", default-features = false }
paid-generated = { path = ".", features = ["full-serde"] }
percent-encoding = "2.3"
serde_json = "1"
tokio = { version = "1", features = ["macros", "net", "rt-multi-thread"] }

[lints.rust]
warnings = "deny"
missing_docs = "deny"
"#;

/// Runs the round trips of several documents, and names those that fail.
fn make_round_trips(documents: &[PathBuf]) {
    let mut failed = Vec::new();
    for document in documents {
        let folder = tempfile::tempdir().unwrap();
        generate(document, folder.path());
        let output = Command::new("cargo")
            .current_dir(folder.path())
            .args(["test", "--quiet", "--offline", "--features", "full-serde", "--tests"])
            .env("CARGO_TARGET_DIR", target())
            // Like the workspace, whose compiled dependencies are used.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .output()
            .unwrap();
        if !output.status.success() {
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            failed.push(format!("{}:\n{out}\n{err}", document.display()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

fn shared(folder: &str) -> Option<Vec<PathBuf>> {
    let folder = root().join("../shared").join(folder);
    if !folder.is_dir() {
        eprintln!("SKIPPED: there are no documents of others at {}", folder.display());
        return None;
    }
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    all.sort();
    Some(all)
}

#[test]
fn every_operation_of_our_samples_makes_a_round_trip() {
    let folder = root().join("xtask/golden/foreign");
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|kind| kind == "yaml"));
    all.sort();
    make_round_trips(&all);
}

#[test]
#[ignore = "compiles three large clients: `cargo test -p xtask --test corpus -- --ignored`"]
fn every_operation_of_published_documents_makes_a_round_trip() {
    if let Some(documents) = shared("openapi/others") {
        make_round_trips(&documents);
    }
}

#[test]
#[ignore = "compiles 21 clients: `cargo test -p xtask --test corpus -- --ignored`"]
fn every_operation_of_small_inputs_makes_a_round_trip() {
    if let Some(documents) = shared("cases/codegen") {
        make_round_trips(&documents);
    }
}
