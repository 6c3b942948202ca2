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
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let output = Command::new("cargo")
        .current_dir(folder)
        .args(["check", "--offline", "--color", "never"])
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap())
        // Like the workspace, whose compiled dependencies are used.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env_remove("PAID_SIGNALS")
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
    // Without a catalogue only the spelling is checked.
    let (compiles, said) = check(root);
    assert!(compiles, "{said}");

    // A new file is found when something else rebuilds the crate.
    write(&root.join("signals.toml"), KNOWS_IT);
    write(&root.join("own/signals.toml"), KNOWS_IT);
    for name in ["shared", "own"] {
        write(&root.join(name).join("src/lib.rs"), &format!("{SOURCE}\n"));
    }
    assert!(check(root).0);
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
