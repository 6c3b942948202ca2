//! The workspace as cargo describes it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::tools::program;

#[derive(Debug, Deserialize)]
pub(super) struct Workspace {
    #[serde(rename = "workspace_root")]
    pub(super) root: PathBuf,
    #[serde(rename = "target_directory")]
    pub(super) target: PathBuf,
    /// The workspace's metadata; null without any.
    pub(super) metadata: Value,
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) rust_version: Option<String>,
    /// The URL of the source. crates.io resolves the readme's relative links against it.
    pub(super) repository: Option<String>,
    pub(super) readme: Option<String>,
    pub(super) features: BTreeMap<String, Vec<String>>,
    pub(super) metadata: Value,
    /// `Some` of no registry if it is not to be published.
    publish: Option<Vec<String>>,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Workspace {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut metadata = Command::new("cargo");
        metadata.current_dir(root).args(["metadata", "--no-deps", "--format-version", "1"]);
        let ran = program::run(&mut metadata)?;
        if !ran.succeeded {
            bail!("cargo cannot read the workspace in {}: {}", root.display(), ran.text);
        }
        serde_json::from_str(&ran.output).context("cargo's metadata cannot be read")
    }

    /// The packages to publish, each after those that it needs.
    pub(super) fn publishable(&self) -> Result<Vec<&Package>> {
        let mut left: Vec<&Package> = self.packages.iter().filter(|package| package.is_publishable()).collect();
        let mut sorted: Vec<&Package> = Vec::new();
        while !left.is_empty() {
            let names: BTreeSet<&str> = left.iter().map(|package| package.name.as_str()).collect();
            let (ready, waiting): (Vec<_>, Vec<_>) =
                left.iter().partition(|package| !package.needed().any(|name| names.contains(name)));
            if ready.is_empty() {
                bail!("these packages need each other in a circle: {names:?}");
            }
            sorted.extend(ready);
            left = waiting;
        }
        Ok(sorted)
    }

    /// A cargo command at the root, whose builds share the workspace's target folder.
    pub(super) fn cargo(&self, arguments: &[&str]) -> Command {
        self.cargo_in(&self.root, arguments)
    }

    /// The same in another folder.
    pub(super) fn cargo_in(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        command
            .current_dir(folder)
            .args(arguments)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_TERM_COLOR", "never");
        command
    }

    /// A folder for files of this command.
    pub(super) fn scratch(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target.join("release-check").join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

impl Package {
    fn is_publishable(&self) -> bool {
        self.publish.as_ref().is_none_or(|registries| !registries.is_empty())
    }

    fn needed(&self) -> impl Iterator<Item = &str> {
        let counts = |dependency: &&Dependency| dependency.kind.as_deref() != Some("dev");
        self.dependencies.iter().filter(counts).map(|dependency| dependency.name.as_str())
    }

    /// The name that code uses for its library; none if it has no library that code could use.
    pub(super) fn library(&self) -> Option<String> {
        let is_library = |target: &&Target| target.kind.iter().any(|kind| kind == "lib" || kind == "rlib");
        self.targets.iter().find(is_library).map(|target| target.name.replace('-', "_"))
    }
}

/// A list of texts in a package's or a workspace's metadata.
pub(super) fn texts(metadata: &Value, pointer: &str) -> Vec<String> {
    let list = metadata.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
