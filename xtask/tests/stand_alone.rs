//! `cargo xtask codegen --out`: a crate of its own, which compiles, from our document and from others.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn codegen(arguments: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("codegen");
    for (flag, path) in ["--out", "--spec"].iter().zip(arguments) {
        command.arg(flag).arg(path);
    }
    command.output().unwrap()
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// With the versions that the workspace has, so that nothing is downloaded; without a warning.
fn check(folder: &Path) {
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let output = Command::new("cargo")
        .current_dir(folder)
        .args(["check", "--quiet", "--offline"])
        .env("CARGO_TARGET_DIR", target)
        // Like the workspace, whose compiled dependencies are used.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .output()
        .unwrap();
    assert!(output.status.success() && shown(&output).is_empty(), "{}", shown(&output));
}

#[test]
fn our_document_makes_a_crate_that_compiles() {
    let folder = tempfile::tempdir().unwrap();
    let output = codegen(&[folder.path()]);
    assert!(output.status.success(), "{}", shown(&output));
    assert!(shown(&output).contains("codegen: 158 operations"), "{}", shown(&output));
    check(folder.path());
}

#[test]
fn documents_that_are_not_imported_make_crates_that_compile() {
    for case in ["lists", "unions", "updates"] {
        let folder = tempfile::tempdir().unwrap();
        let output = codegen(&[folder.path(), &root().join("xtask/golden").join(case).join("document.yaml")]);
        assert!(output.status.success(), "{case}: {}", shown(&output));
        check(folder.path());
    }
}

#[test]
fn a_document_that_is_none_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let output = codegen(&[folder.path(), &root().join("rustfmt.toml")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(shown(&output).contains("rustfmt.toml: #/openapi is missing"), "{}", shown(&output));
}
