//! The package in this folder: what its manifest says, so that nobody is asked.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub(super) struct Package {
    pub(super) folder: PathBuf,
    pub(super) name: String,
    /// `lib.rs` or `main.rs`.
    pub(super) root: PathBuf,
    pub(super) is_library: bool,
    /// What the crate calls the library; `None` if it does not depend on it.
    pub(super) library: Option<String>,
}

impl Package {
    /// The package of the nearest manifest.
    pub(super) fn here() -> Result<Self> {
        let here = std::env::current_dir()?;
        let folder = here.ancestors().find(|folder| folder.join("Cargo.toml").is_file());
        let folder = folder.ok_or("there is no Cargo.toml here: run `cargo new` first")?.to_owned();
        let manifest = read(&folder.join("Cargo.toml"))?;
        let Some(package) = manifest.get("package") else {
            return Err(format!(
                "{} is a workspace without a package: run this in one of its packages",
                folder.display()
            )
            .into());
        };
        let name = package.get("name").and_then(Item::as_str).ok_or("the package has no name")?.to_owned();
        let edition = edition(package, &folder)?;
        if edition == "2015" {
            return Err("the package is of edition 2015, in which the annotations need `extern crate`: move it to 2018 or later".into());
        }
        let (root, is_library) = root(&manifest, &folder)?;
        Ok(Self { name, root, is_library, library: library(&manifest), folder })
    }

    /// The folder of the crate's root file.
    pub(super) fn sources(&self) -> &Path {
        self.root.parent().unwrap_or(&self.folder)
    }
}

fn read(path: &Path) -> Result<DocumentMut> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(text.parse().map_err(|error| format!("{}: {error}", path.display()))?)
}

fn edition(package: &Item, folder: &Path) -> Result<String> {
    let Some(edition) = package.get("edition") else { return Ok("2015".to_owned()) };
    if let Some(edition) = edition.as_str() {
        return Ok(edition.to_owned());
    }
    for folder in folder.ancestors().filter(|folder| folder.join("Cargo.toml").is_file()) {
        let manifest = read(&folder.join("Cargo.toml"))?;
        let of_workspace = manifest.get("workspace").and_then(|workspace| workspace.get("package"));
        if let Some(edition) = of_workspace.and_then(|package| package.get("edition")).and_then(Item::as_str) {
            return Ok(edition.to_owned());
        }
    }
    Err("the edition is the workspace's, and no workspace has one".into())
}

/// The library of the package, or else its program.
fn root(manifest: &DocumentMut, folder: &Path) -> Result<(PathBuf, bool)> {
    let path = |item: Option<&Item>| {
        item.and_then(|item| item.get("path")).and_then(Item::as_str).map(|path| folder.join(path))
    };
    let library = path(manifest.get("lib")).unwrap_or_else(|| folder.join("src/lib.rs"));
    if library.is_file() {
        return Ok((library, true));
    }
    let mut programs = vec![folder.join("src/main.rs")];
    let named = manifest.get("bin").and_then(Item::as_array_of_tables);
    programs.extend(
        named
            .into_iter()
            .flat_map(|bins| bins.iter())
            .filter_map(|bin| bin.get("path").and_then(Item::as_str).map(|path| folder.join(path))),
    );
    let program = programs.into_iter().find(|program| program.is_file());
    Ok((program.ok_or("the package has neither src/lib.rs nor src/main.rs")?, false))
}

/// The name of the library in the dependencies, also of some targets only.
fn library(manifest: &DocumentMut) -> Option<String> {
    let targets = manifest.get("target").and_then(Item::as_table_like);
    let of_targets =
        targets.into_iter().flat_map(|targets| targets.iter()).filter_map(|(_, target)| target.get("dependencies"));
    let mut dependencies = manifest.get("dependencies").into_iter().chain(of_targets);
    dependencies.find_map(|dependencies| {
        dependencies.as_table_like()?.iter().find_map(|(key, value)| {
            match value.get("package").and_then(Item::as_str) {
                Some("paid-api") if key != "paid-api" => Some(key.replace('-', "_")),
                None | Some("paid-api") if key == "paid-api" => Some("paid".to_owned()),
                _ => None,
            }
        })
    })
}
