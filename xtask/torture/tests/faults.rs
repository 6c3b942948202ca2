//! Every fault of `cargo xtask torture --faults` can still be put back: the library changes under them.

use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn every_fault_applies_to_the_sources() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let applies = |patch: &Path| {
        let status = Command::new("patch")
            .current_dir(here.join("../.."))
            .args(["-p1", "--dry-run", "--silent", "--force", "--input"])
            .arg(patch)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.map(|status| status.success())
    };
    let mut stale = Vec::new();
    for entry in std::fs::read_dir(here.join("faults")).unwrap() {
        let patch = entry.unwrap().path();
        match applies(&patch) {
            Ok(true) => {}
            Ok(false) => stale.push(patch),
            Err(error) => return eprintln!("SKIPPED: the program `patch` does not start: {error}"),
        }
    }
    assert!(stale.is_empty(), "these no longer apply: {stale:?}");
}
