//! The packages as the registry would have them: packed, unpacked elsewhere, and built there with a crate that uses them. No
//! file of the repository is in reach.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::verdict::Finding;
use super::workspace::{Package, Workspace};
use crate::tools::program::{self, Ran};

pub(super) fn check(workspace: &Workspace) -> Result<Finding> {
    let packages = workspace.publishable()?;
    let packed = pack(workspace, &packages)?;
    if !packed.succeeded {
        return Ok(Finding::failed_with("cargo package", &packed));
    }
    if let Some(warning) = packed.text.lines().find(|line| line.starts_with("warning: manifest has no")) {
        return Ok(Finding::fail(warning).with(&packed.text));
    }
    let outside = tempfile::tempdir().context("no folder outside of the repository")?;
    let mut members = unpack(workspace, &packages, outside.path())?;
    members.push(user(workspace, &packages, outside.path())?);
    std::fs::write(outside.path().join("Cargo.toml"), manifest(&packages, &members))?;
    // The versions that are tested; a registry's newest ones are not what this gate is about.
    std::fs::copy(workspace.root.join("Cargo.lock"), outside.path().join("Cargo.lock")).ok();
    let ran =
        program::run(&mut workspace.cargo_in(outside.path(), &["check", "--quiet", "--workspace", "--all-features"]))?;
    if !ran.succeeded {
        return Ok(Finding::failed_with("from the packed files", &ran));
    }
    let names: Vec<_> = packages.iter().map(|package| package.name.as_str()).collect();
    let links: String = packages.iter().filter_map(|package| lost_links(package, outside.path())).collect();
    Ok(Finding::pass(format!("{}, and a crate that uses them, from the packed files{links}", names.join(", "))))
}

/// What the registry's page of a package cannot follow: relative links, where it does not know the repository.
fn lost_links(package: &Package, outside: &Path) -> Option<String> {
    let name = Path::new(package.readme.as_ref()?).file_name()?;
    let readme = std::fs::read_to_string(outside.join(folder_of(package)).join(name)).ok()?;
    let is_relative =
        |target: &&str| !["https://", "http://", "mailto:", "#"].iter().any(|start| target.starts_with(start));
    let relative = readme.split("](").skip(1).filter(is_relative).count();
    (package.repository.is_none() && relative > 0).then(|| {
        format!(
            "; crates.io follows the {relative} relative links of its readme only if {} names its `repository`",
            package.name
        )
    })
}

/// Cargo packs them in their order, each against those that it packed before.
pub(super) fn pack(workspace: &Workspace, packages: &[&Package]) -> Result<Ran> {
    let mut command = workspace.cargo(&["package", "--no-verify", "--allow-dirty", "--registry", "crates-io"]);
    for package in packages {
        command.args(["-p", &package.name]);
    }
    program::run(&mut command)
}

/// Returns the folders.
pub(super) fn unpack(workspace: &Workspace, packages: &[&Package], into: &Path) -> Result<Vec<String>> {
    let archives = workspace.target.join("package");
    for package in packages {
        let archive = archives.join(format!("{}.crate", folder_of(package)));
        let ran = program::run(Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(into))?;
        if !ran.succeeded {
            bail!("cannot unpack {}: {}", archive.display(), ran.text);
        }
    }
    Ok(packages.iter().map(|package| folder_of(package)).collect())
}

fn folder_of(package: &Package) -> String {
    format!("{}-{}", package.name, package.version)
}

/// A workspace of these members, in which the packages take the place of the registry's.
pub(super) fn manifest(packages: &[&Package], members: &[String]) -> String {
    let list: Vec<_> = members.iter().map(|member| format!("{member:?}")).collect();
    let mut manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n[patch.crates-io]\n", list.join(", "));
    for package in packages {
        manifest.push_str(&format!("{} = {{ path = {:?} }}\n", package.name, folder_of(package)));
    }
    manifest
}

/// A crate that uses the packages: the one that the workspace names (`[workspace.metadata.release-check] user`), with what
/// stands in for its name filled in; or else one that only mentions them.
fn user(workspace: &Workspace, packages: &[&Package], outside: &Path) -> Result<String> {
    let folder = outside.join("a-new-crate");
    if let Some(template) = workspace.metadata.pointer("/release-check/user").and_then(serde_json::Value::as_str) {
        copy(&workspace.root.join(template), &folder)?;
    } else {
        mention(packages, &folder)?;
    }
    Ok("a-new-crate".to_owned())
}

fn mention(packages: &[&Package], folder: &Path) -> Result<()> {
    let mut manifest =
        "[package]\nname = \"a-new-crate\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n".to_owned();
    let mut code = String::new();
    for package in packages {
        manifest.push_str(&format!("{} = {:?}\n", package.name, package.version));
        if let Some(library) = package.library() {
            code.push_str(&format!("use {library} as _;\n"));
        }
    }
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::write(folder.join("Cargo.toml"), manifest)?;
    std::fs::write(folder.join("src/lib.rs"), code)?;
    Ok(())
}

/// Copies a template as `cargo generate` would.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path: PathBuf = entry?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else if name != "cargo-generate.toml" {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            std::fs::write(to.join(name), text.replace("{{project-name}}", "a-new-crate"))?;
        }
    }
    Ok(())
}
