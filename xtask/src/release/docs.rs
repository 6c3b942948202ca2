//! The docs as docs.rs builds them: by the manifest's `[package.metadata.docs.rs]`, with the compiler's unstable features.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use anyhow::Result;
use serde_json::Value;
use tempfile::TempPath;

use super::verdict::Finding;
use super::workspace::{Package, Workspace, texts};
use crate::tools::program;

pub(super) fn check(workspace: &Workspace) -> Result<Finding> {
    let rustdoc = unstable_rustdoc()?;
    let packages = workspace.publishable()?;
    for package in &packages {
        let ran = program::run(command(workspace, package).env("RUSTDOC", &rustdoc))?;
        if !ran.succeeded {
            return Ok(Finding::failed_with(&package.name, &ran));
        }
    }
    Ok(Finding::pass(format!("{} packages, by their [package.metadata.docs.rs]; warnings are errors", packages.len())))
}

fn command(workspace: &Workspace, package: &Package) -> Command {
    let mut flags = vec!["-D".to_owned(), "warnings".to_owned()];
    flags.extend(texts(&package.metadata, "/docs/rs/rustdoc-args"));
    let mut command = workspace.cargo(&["doc", "--quiet", "--no-deps", "--lib", "-p", &package.name]);
    command.args(features(&package.metadata)).env("RUSTDOCFLAGS", flags.join(" "));
    command
}

fn features(metadata: &Value) -> Vec<String> {
    let is_set = |pointer| metadata.pointer(pointer).and_then(Value::as_bool).unwrap_or_default();
    let mut arguments = Vec::new();
    if is_set("/docs/rs/all-features") {
        arguments.push("--all-features".to_owned());
    }
    if is_set("/docs/rs/no-default-features") {
        arguments.push("--no-default-features".to_owned());
    }
    let named = texts(metadata, "/docs/rs/features");
    if !named.is_empty() {
        arguments.extend(["--features".to_owned(), named.join(",")]);
    }
    arguments
}

/// A rustdoc that takes unstable features, as the one of docs.rs does. The variable is not set for cargo, because build scripts
/// look at it, and all dependencies would be compiled again.
pub(super) fn unstable_rustdoc() -> Result<TempPath> {
    let mut script = tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o755)).tempfile()?;
    script.write_all(b"#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n")?;
    Ok(script.into_temp_path())
}
