//! Cases that have to compile and run, as the programs of one crate: cargo is asked once for all of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcomes, crates};

/// Builds and runs cases. Each is a path below `folder`.
pub fn outcomes(cases: &[&str], folder: &Path, variables: &[(&str, &Path)]) -> Outcomes {
    let Some(name) = cases.first().map(|case| format!("accepted-{}", program(case))) else { return Outcomes::new() };
    let crate_folder = crates::folder().join(&name);
    std::fs::create_dir_all(crate_folder.join("src")).unwrap();
    std::fs::write(crate_folder.join("src/lib.rs"), "").unwrap();
    let programs: String = cases
        .iter()
        .map(|case| format!("[[bin]]\nname = {:?}\npath = {:?}\n\n", program(case), folder.join(case)))
        .collect();
    let manifest = crates::manifest(&name, "2024") + &programs + &crates::workspace("");
    std::fs::write(crate_folder.join("Cargo.toml"), manifest).unwrap();
    for case in cases {
        // What an earlier run left is no answer.
        let _ = std::fs::remove_file(built(case));
    }
    let mut build = crates::build(&crate_folder);
    let built_all = build.args(["--bins", "--keep-going"]).envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&built_all.stderr).into_owned();
    cases.iter().map(|case| ((*case).to_owned(), outcome(case, &said))).collect()
}

fn outcome(case: &str, said: &str) -> Result<(), String> {
    if !built(case).exists() {
        return Err(format!("it does not compile:\n{said}"));
    }
    let ran = Command::new(built(case)).output().unwrap();
    if ran.status.success() {
        return Ok(());
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Err(format!("{}\n{}{}", ran.status, text(&ran.stdout), text(&ran.stderr)))
}

/// `pass/catalog/renamed.rs` is `pass-catalog-renamed`.
fn program(case: &str) -> String {
    case.trim_end_matches(".rs").replace('/', "-")
}

fn built(case: &str) -> PathBuf {
    let program = program(case) + std::env::consts::EXE_SUFFIX;
    crates::target().join(crates::host()).join("debug").join(program)
}
