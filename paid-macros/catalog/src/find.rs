//! Which file applies to a crate: exactly one, whole; two are never merged.

use std::path::{Path, PathBuf};

/// The name of the file.
pub const FILE_NAME: &str = "signals.toml";
/// The variable that names another file, by an absolute path.
pub const VARIABLE: &str = "PAID_SIGNALS";

/// Where the catalogue of a crate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// In this file.
    At(PathBuf),
    /// The crate has no catalogue.
    Nowhere,
    /// [`VARIABLE`] does not name a file, for this reason.
    Misnamed(String),
}

/// Looks where `named` (the value of [`VARIABLE`]) says, else beside the crate's `Cargo.toml`, else at the root of
/// its workspace.
pub fn find(manifest_dir: &Path, named: Option<&str>) -> Found {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        let path = PathBuf::from(named);
        return if !path.is_absolute() {
            Found::Misnamed(format!("{VARIABLE} is \"{named}\", but must be an absolute path"))
        } else if !path.is_file() {
            Found::Misnamed(format!("{VARIABLE} names {named}, but no file is there"))
        } else {
            Found::At(path)
        };
    }
    let own = manifest_dir.join(FILE_NAME);
    if own.is_file() {
        return Found::At(own);
    }
    let root = manifest_dir.ancestors().find(|folder| is_workspace(folder));
    match root.map(|root| root.join(FILE_NAME)) {
        Some(path) if path.is_file() => Found::At(path),
        _ => Found::Nowhere,
    }
}

fn is_workspace(folder: &Path) -> bool {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| {
        let line = line.trim();
        line.starts_with("[workspace]") || line.starts_with("[workspace.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_own_file_comes_before_the_workspaces_and_the_variable_before_both() {
        let root = tempfile::tempdir().unwrap();
        let krate = root.path().join("crates/a");
        std::fs::create_dir_all(&krate).unwrap();
        assert_eq!(find(&krate, None), Found::Nowhere);
        std::fs::write(root.path().join("Cargo.toml"), "[workspace]\n").unwrap();
        std::fs::write(root.path().join(FILE_NAME), "").unwrap();
        assert_eq!(find(&krate, None), Found::At(root.path().join(FILE_NAME)));
        std::fs::write(krate.join(FILE_NAME), "").unwrap();
        assert_eq!(find(&krate, None), Found::At(krate.join(FILE_NAME)));
        let other = root.path().join("other.toml");
        let misnamed = find(&krate, other.to_str());
        assert!(matches!(&misnamed, Found::Misnamed(why) if why.contains("no file")), "{misnamed:?}");
        std::fs::write(&other, "").unwrap();
        assert_eq!(find(&krate, other.to_str()), Found::At(other));
        assert!(matches!(find(&krate, Some("signals.toml")), Found::Misnamed(why) if why.contains("absolute")));
    }
}
