//! Which files are the sources: those that git would take, of the crates that one catalogue is for.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};
use paid_catalog::Found;
use toml_edit::{DocumentMut, Item};

/// A file, and the folder of the package that it belongs to.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) package: PathBuf,
    /// Whether it is below the package's `tests` or `benches`.
    pub(super) is_in_tests: bool,
}

pub(super) struct Files {
    pub(super) files: Vec<File>,
    /// What the crates call the library.
    pub(super) names: BTreeSet<String>,
}

/// The files below a folder.
pub(super) fn below(root: &Path, catalogue: Option<&Path>) -> io::Result<Files> {
    let counts = catalogue.map(|path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
    let top = root.to_owned();
    let mut found = Files { files: Vec::new(), names: BTreeSet::from(["paid".to_owned()]) };
    let walk = WalkBuilder::new(root)
        .require_git(false)
        .sort_by_file_path(Ord::cmp)
        .filter_entry(move |entry| is_wanted(entry, &top, counts.as_deref()))
        .build();
    let mut packages: Vec<PathBuf> = Vec::new();
    for entry in walk {
        let entry = entry.map_err(io::Error::other)?;
        let path = entry.path();
        if entry.file_type().is_some_and(|kind| kind.is_dir()) {
            if path.join("Cargo.toml").is_file() {
                packages.push(path.to_owned());
                found.names.extend(names_in(&path.join("Cargo.toml")));
            }
            continue;
        }
        if path.extension().is_some_and(|extension| extension == "rs") {
            let package = packages.iter().rev().find(|package| path.starts_with(package));
            let package = package.map_or_else(|| root.to_owned(), Clone::clone);
            let inside = path.strip_prefix(&package).unwrap_or(path);
            let is_in_tests = inside.starts_with("tests") || inside.starts_with("benches");
            found.files.push(File { path: path.to_owned(), package, is_in_tests });
        }
    }
    Ok(found)
}

fn is_wanted(entry: &DirEntry, root: &Path, counts: Option<&Path>) -> bool {
    let path = entry.path();
    if !entry.file_type().is_some_and(|kind| kind.is_dir()) || path == root {
        return true;
    }
    let is_build = entry.file_name() == "target" && path.with_file_name("Cargo.toml").is_file();
    !is_build && (!path.join("Cargo.toml").is_file() || counts.is_none_or(|counts| is_of(path, counts)))
}

/// Whether the compiler would use this catalogue for the crate in a folder. A folder that has a workspace of its own is another
/// world.
fn is_of(folder: &Path, counts: &Path) -> bool {
    match paid_catalog::find(folder, None) {
        Found::At(path) => std::fs::canonicalize(&path).unwrap_or(path) == counts,
        Found::Nowhere(_) | Found::OptedOut | Found::Misnamed(_) => false,
    }
}

/// What a manifest calls the library, if it gives it another name.
fn names_in(manifest: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    let Ok(document) = text.parse::<DocumentMut>() else { return Vec::new() };
    let mut names = Vec::new();
    collect(document.as_item(), &mut names);
    names
}

fn collect(item: &Item, names: &mut Vec<String>) {
    for (key, value) in item.as_table_like().into_iter().flat_map(|table| table.iter()) {
        if value.get("package").and_then(Item::as_str) == Some("paid-api") {
            names.push(key.replace('-', "_"));
        } else if value.is_table() {
            collect(value, names);
        }
    }
}
