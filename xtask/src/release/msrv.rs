//! Whether `rust-version` is enough: for the dependencies, for what the sources use of the standard library, and, where that
//! compiler is installed, for all of it.

use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use super::verdict::Finding;
use super::workspace::{Package, Workspace};
use crate::tools::program;

pub(super) fn check(workspace: &Workspace) -> Result<Finding> {
    let (mut seen, mut all_compiled) = (Vec::new(), true);
    for package in workspace.publishable()? {
        let Some(version) = &package.rust_version else {
            return Ok(Finding::fail(format!("{} has no rust-version", package.name)));
        };
        let found = needy_dependency(workspace, package, version)?.or(newer_std(workspace, package)?);
        if let Some(finding) = found {
            return Ok(finding);
        }
        let compiled = if let Some(toolchain) = installed(version)? {
            if let Some(finding) = compiles(workspace, package, version, &toolchain)? {
                return Ok(finding);
            }
            "compiled"
        } else {
            all_compiled = false;
            "that compiler is not installed, so only dependencies and uses of std were looked at"
        };
        seen.push(format!("{} {version} ({compiled})", package.name));
    }
    let seen = seen.join("; ");
    Ok(if all_compiled { Finding::pass(seen) } else { Finding::not_run(seen) })
}

/// A dependency that asks for a newer compiler.
fn needy_dependency(workspace: &Workspace, package: &Package, version: &str) -> Result<Option<Finding>> {
    let arguments =
        ["tree", "-p", &package.name, "--all-features", "-e", "normal,build", "--prefix", "none", "-f", "{p}"];
    let tree = program::run(&mut workspace.cargo(&arguments))?;
    let metadata = program::run(&mut workspace.cargo(&["metadata", "--format-version", "1"]))?;
    if !tree.succeeded || !metadata.succeeded {
        return Ok(Some(Finding::fail("cargo cannot list the dependencies").with(tree.text + &metadata.text)));
    }
    let used: Vec<(&str, &str)> = tree.output.lines().filter_map(name_and_version).collect();
    let all: Value = serde_json::from_str(&metadata.output)?;
    let text = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
    for item in all["packages"].as_array().into_iter().flatten() {
        let (name, own, needs) = (text(item, "name"), text(item, "version"), text(item, "rust_version"));
        if used.contains(&(name.as_str(), own.as_str())) && numbers(&needs) > numbers(version) {
            let saw = format!("{} promises Rust {version}, and {name} {own} needs {needs}", package.name);
            return Ok(Some(Finding::fail(saw)));
        }
    }
    Ok(None)
}

/// `serde v1.0.0 (proc-macro)`.
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    Some((words.next()?, words.next()?.trim_start_matches('v')))
}

fn numbers(version: &str) -> Vec<u32> {
    let mut numbers: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    numbers.resize(3, 0);
    numbers
}

/// clippy knows since when everything in the standard library is stable.
fn newer_std(workspace: &Workspace, package: &Package) -> Result<Option<Finding>> {
    let mut command = workspace.cargo(&["clippy", "--quiet", "-p", &package.name, "--lib", "--all-features", "--"]);
    let ran = program::run(command.args(["-A", "warnings", "-D", "clippy::incompatible_msrv"]))?;
    Ok((!ran.succeeded).then(|| Finding::failed_with(&package.name, &ran)))
}

/// The installed toolchain of this version, by its whole name: `1.90.0-x86_64-unknown-linux-gnu` for `1.90`.
fn installed(version: &str) -> Result<Option<String>> {
    let Ok(ran) = program::run(Command::new("rustup").args(["toolchain", "list"])) else { return Ok(None) };
    Ok(of_version(version, &ran.output).map(str::to_owned))
}

fn of_version<'a>(version: &str, list: &'a str) -> Option<&'a str> {
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    let is_it = |name: &&str| {
        let own = name.split('-').next().unwrap_or_default();
        own == version || own.strip_prefix(version).is_some_and(|rest| rest.starts_with('.'))
    };
    names.filter(is_it).max_by_key(|name| numbers(name.split('-').next().unwrap_or_default()))
}

fn compiles(workspace: &Workspace, package: &Package, version: &str, toolchain: &str) -> Result<Option<Finding>> {
    let toolchain = format!("+{toolchain}");
    let arguments = [&toolchain, "check", "--quiet", "-p", &package.name, "--all-features"];
    let ran = program::run(&mut workspace.cargo(&arguments))?;
    Ok((!ran.succeeded).then(|| Finding::failed_with(&format!("{} with Rust {version}", package.name), &ran)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toolchain_is_called_by_its_whole_name() {
        let list = "stable-x86_64-unknown-linux-gnu (active, default)\n1.90.0-x86_64-unknown-linux-gnu\n1.90.1-x86_64-unknown-linux-gnu\n1.9-other\n";
        assert_eq!(of_version("1.90", list), Some("1.90.1-x86_64-unknown-linux-gnu"));
        assert_eq!(of_version("1.90.0", list), Some("1.90.0-x86_64-unknown-linux-gnu"));
        assert_eq!(of_version("1.9", list), Some("1.9-other"));
        assert_eq!(of_version("1.8", list), None);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(numbers("1.100") > numbers("1.90.1"));
        assert_eq!(numbers("1.90"), numbers("1.90.0"));
        assert!(numbers("") < numbers("1.0"));
        assert_eq!(name_and_version("serde v1.0.228 (proc-macro)"), Some(("serde", "1.0.228")));
    }
}
