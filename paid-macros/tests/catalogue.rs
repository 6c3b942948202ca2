//! The catalogue and cargo: which file applies, and what an edit of it rebuilds. Each case is a crate of its own.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn manifest(name: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\npaid-api = {{ path = {:?}, default-features = false, features = [\"emit\"] }}\n",
        root().join("paid-api")
    )
}

/// Checks the workspace in a folder: whether it compiles, and what cargo says.
fn check(folder: &Path) -> (bool, String) {
    check_with(folder, None)
}

/// The same with a value of `PAID_SIGNALS`.
fn check_with(folder: &Path, named: Option<&str>) -> (bool, String) {
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let output = Command::new("cargo")
        .current_dir(folder)
        .args(["check", "--offline", "--color", "never"])
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap())
        // Like the workspace, whose compiled dependencies are used.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env_remove("PAID_SIGNALS")
        .envs(named.map(|named| ("PAID_SIGNALS", named)))
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

const SOURCE: &str = "#[paid::signal(\"meeting_booked\", customer = \"acme\")]\npub fn work() {}\n";
const KNOWS_IT: &str = "[signals.meeting_booked]\ntype = \"outcome\"\n";
const KNOWS_ANOTHER: &str = "[signals.meeting_held]\ntype = \"outcome\"\n";

#[test]
fn one_file_applies_to_a_crate_whole_and_editing_it_rebuilds_what_depends_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(&root.join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"shared\", \"own\"]\n");
    for name in ["shared", "own"] {
        write(&root.join(name).join("Cargo.toml"), &manifest(name));
        write(&root.join(name).join("src/lib.rs"), SOURCE);
    }
    // Without a catalogue only the spelling is checked, and each crate says so.
    let (compiles, said) = check(root);
    assert!(compiles && said.matches("no signals.toml applies to this crate").count() == 2, "{said}");

    // A new file is found when something else rebuilds the crate.
    write(&root.join("signals.toml"), KNOWS_IT);
    write(&root.join("own/signals.toml"), KNOWS_IT);
    for name in ["shared", "own"] {
        write(&root.join(name).join("src/lib.rs"), &format!("{SOURCE}\n"));
    }
    let (compiles, said) = check(root);
    assert!(compiles && !said.contains("warning"), "{said}");
    let (_, said) = check(root);
    assert!(!said.contains("Checking"), "nothing changed, and yet: {said}");

    // The workspace's file is for the crate without one of its own.
    write(&root.join("signals.toml"), KNOWS_ANOTHER);
    let (compiles, said) = check(root);
    assert!(!compiles && said.contains("could not compile `shared`"), "{said}");
    assert!(said.contains("has no signal `meeting_booked`; did you mean `meeting_held`?"), "{said}");
    assert!(!said.contains("Checking own"), "{said}");

    write(&root.join("signals.toml"), KNOWS_IT);
    write(&root.join("own/signals.toml"), KNOWS_ANOTHER);
    let (compiles, said) = check(root);
    assert!(!compiles && said.contains("error: signals.toml has no signal `meeting_booked`"), "{said}");
    assert!(said.contains("could not compile `own`"), "{said}");
}

/// A package of its own, with these sources and this at the end of its manifest.
fn package(name: &str, source: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("Cargo.toml"), &manifest(name));
    write(&folder.path().join("src/lib.rs"), source);
    folder
}

#[test]
fn that_there_is_no_catalogue_is_said_once_or_refused_where_one_is_required() {
    let twice = format!("{SOURCE}{}", SOURCE.replace("work", "more_work"));
    let folder = package("absent", &twice);
    let root = folder.path();
    write(&root.join("src/signals.toml"), KNOWS_IT);
    let (compiles, said) = check(root);
    assert!(compiles && said.matches("no signals.toml applies to this crate").count() == 1, "{said}");
    assert!(said.contains("1 | #[paid::signal(\"meeting_booked\""), "{said}");
    assert!(said.contains("src/signals.toml does not apply: move it beside Cargo.toml; write signals.toml"), "{said}");

    let (compiles, said) = check_with(root, Some("required"));
    assert!(!compiles && said.matches("a catalogue is required, and no signals.toml applies").count() == 1, "{said}");

    let says = |line: &str| {
        write(&root.join("Cargo.toml"), &format!("{}[package.metadata.paid]\n{line}\n", manifest("absent")));
        check(root)
    };
    let (compiles, said) = says("signals = \"required\"");
    assert!(!compiles && said.contains("a catalogue is required, and no signals.toml applies"), "{said}");
    let (compiles, said) = says("signals = \"non\"");
    assert!(!compiles && said.contains("must be \"required\" or \"none\""), "{said}");
    let (compiles, said) = says("signals = \"none\"");
    assert!(compiles && !said.contains("warning"), "{said}");

    // Without the line, the same sources are built again.
    write(&root.join("Cargo.toml"), &manifest("absent"));
    let (compiles, said) = check(root);
    assert!(compiles && said.contains("no signals.toml applies to this crate"), "{said}");
}

#[test]
fn a_catalogue_is_required_of_every_member_also_of_one_that_is_only_a_dependency() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(
        &root.join("Cargo.toml"),
        "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"core\"]\ndefault-members = [\"app\"]\n",
    );
    write(&root.join("core/Cargo.toml"), &manifest("core-of-it"));
    write(&root.join("core/src/lib.rs"), SOURCE);
    write(
        &root.join("app/Cargo.toml"),
        "[package]\nname = \"app\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\ncore-of-it = { path = \"../core\" }\n",
    );
    write(&root.join("app/src/lib.rs"), "");
    let (compiles, said) = check_with(root, Some("required"));
    assert!(!compiles && said.contains("a catalogue is required, and no signals.toml applies"), "{said}");
    write(&root.join("signals.toml"), KNOWS_IT);
    write(&root.join("core/src/lib.rs"), &format!("{SOURCE}\n"));
    let (compiles, said) = check_with(root, Some("required"));
    assert!(compiles, "{said}");
}

#[test]
fn what_the_workspace_says_of_the_catalogue_is_heard_in_the_next_build() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let says = |more: &str| {
        write(&root.join("Cargo.toml"), &format!("[workspace]\nresolver = \"3\"\nmembers = [\"core\"]\n{more}"));
        check(root)
    };
    write(&root.join("core/Cargo.toml"), &manifest("core-of-it"));
    write(&root.join("core/src/lib.rs"), SOURCE);
    let (compiles, said) = says("");
    assert!(compiles && said.contains("no signals.toml applies"), "{said}");
    let (compiles, said) = says("[workspace.metadata.paid]\nsignals = \"required\"\n");
    assert!(!compiles && said.contains("a catalogue is required"), "{said}");
    let (compiles, said) = says("[workspace.metadata.paid]\nsignals = \"none\"\n");
    assert!(compiles && !said.contains("warning"), "{said}");
    let (compiles, said) = says("");
    assert!(compiles && said.contains("no signals.toml applies"), "{said}");
}

#[test]
fn a_signal_that_has_expired_is_warned_of_or_denied() {
    let folder = package("expired", SOURCE);
    let root = folder.path();
    for (day, lint, expected) in [
        ("2999-12-31", "deny", (true, 0)),
        ("2020-01-31", "warn", (true, 1)),
        ("2020-01-31", "deny", (false, 1)),
        ("2020-01-31", "allow", (true, 0)),
    ] {
        let catalogue = format!("{KNOWS_IT}expires = {day}\n[lints]\nexpired_signal = \"{lint}\"\n");
        write(&root.join("signals.toml"), &catalogue);
        write(&root.join("src/lib.rs"), &format!("{SOURCE}// {day} {lint}\n"));
        let (compiles, said) = check(root);
        let message = format!("signal `meeting_booked` expired on {day}, says signals.toml");
        assert_eq!((compiles, said.matches(&message).count()), expected, "{said}");
    }
}

#[test]
fn the_library_may_have_another_name_in_the_manifest() {
    let source = "#[paid2::signal(\"meeting_booked\", customer = \"acme\")]\npub fn work() {}\n#[derive(paid2::PaidSignal)]\n#[paid(signal = \"meeting_booked\")]\npub struct Booked { #[paid(customer)] pub account: String }\n";
    let folder = package("renamed", source);
    let manifest = manifest("renamed").replace("paid-api = { ", "paid2 = { package = \"paid-api\", ");
    write(&folder.path().join("Cargo.toml"), &manifest);
    write(&folder.path().join("signals.toml"), KNOWS_IT);
    let (compiles, said) = check(folder.path());
    assert!(compiles && !said.contains("warning"), "{said}");
}

#[test]
fn two_versions_of_the_library_are_no_program() {
    let folder = package("both", "");
    let root = folder.path();
    let next = "[package]\nname = \"next\"\nversion = \"0.0.0\"\nedition = \"2024\"\nlinks = \"paid-api\"\n";
    write(&root.join("next/Cargo.toml"), next);
    write(&root.join("next/build.rs"), "fn main() {}\n");
    write(&root.join("next/src/lib.rs"), "");
    write(&root.join("Cargo.toml"), &format!("{}next = {{ path = \"next\" }}\n", manifest("both")));
    let (compiles, said) = check(root);
    assert!(
        !compiles && said.contains("Only one package in the dependency graph may specify the same links value"),
        "{said}"
    );
}
