//! Which file applies to a crate: exactly one, whole; two are never merged. Without one, whether that is as it should be.

use std::path::{Path, PathBuf};

use crate::manifest::{self, Wish};

/// The name of the file.
pub const FILE_NAME: &str = "signals.toml";
/// The variable that names another file, by an absolute path; or "required", or "none".
pub const VARIABLE: &str = "PAID_SIGNALS";

/// Where the catalogue of a crate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// In this file.
    At(PathBuf),
    /// The crate has no catalogue.
    Nowhere(Absent),
    /// The crate says that it has no catalogue.
    OptedOut,
    /// [`VARIABLE`] or `Cargo.toml` does not say where the catalogue is, for this reason.
    Misnamed(String),
}

/// A catalogue that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// Where one would apply.
    pub looked: Vec<PathBuf>,
    /// One that does not apply, since it is in another folder.
    pub misplaced: Option<PathBuf>,
    /// Whether there has to be one.
    pub required: bool,
}

/// Looks where `named` (the value of [`VARIABLE`]) says, else beside the crate's `Cargo.toml`, else at the root of
/// its workspace.
pub fn find(manifest_dir: &Path, named: Option<&str>) -> Found {
    let named = named.filter(|named| !named.is_empty());
    let of_build = named.and_then(Wish::of);
    if let (Some(named), None) = (named, of_build) {
        return at(named);
    }
    let root = workspace(manifest_dir);
    let of_crate = match manifest::wish(manifest_dir, root) {
        Ok(wish) => wish,
        Err(why) => return Found::Misnamed(why),
    };
    let own = manifest_dir.join(FILE_NAME);
    match (of_crate, of_build) {
        (Some(Wish::None), _) if own.is_file() => Found::Misnamed(format!(
            "Cargo.toml says `signals = \"none\"`, and {FILE_NAME} is beside it; remove one of the two"
        )),
        (Some(Wish::Required), Some(Wish::None)) => Found::Misnamed(format!(
            "{VARIABLE} is \"none\", and Cargo.toml says `signals = \"required\"`; remove one of the two"
        )),
        (Some(Wish::None), _) | (None, Some(Wish::None)) => Found::OptedOut,
        (wish, of_build) => {
            let looked = places(own, root);
            let there = looked.iter().find(|path| path.is_file()).cloned();
            there.map_or_else(
                || {
                    let misplaced = misplaced(manifest_dir, root, &looked);
                    Found::Nowhere(Absent { looked, misplaced, required: wish.or(of_build).is_some() })
                },
                Found::At,
            )
        }
    }
}

/// What the crate in a folder calls the library: `paid`, unless its `Cargo.toml` gives it one other name.
pub fn library(manifest_dir: &Path) -> String {
    manifest::other_name(manifest_dir, workspace(manifest_dir)).unwrap_or_else(|| "paid".to_owned())
}

/// The manifests that say whether a crate is to have a catalogue: its own, and that of its workspace.
pub fn manifests(manifest_dir: &Path) -> Vec<PathBuf> {
    let folders = std::iter::once(manifest_dir).chain(workspace(manifest_dir).filter(|root| *root != manifest_dir));
    folders.map(|folder| folder.join("Cargo.toml")).filter(|path| path.is_file()).collect()
}

fn at(named: &str) -> Found {
    let path = PathBuf::from(named);
    if !path.is_absolute() {
        Found::Misnamed(format!("{VARIABLE} is \"{named}\", but must be an absolute path, \"required\" or \"none\""))
    } else if !path.is_file() {
        Found::Misnamed(format!("{VARIABLE} names {named}, but no file is there"))
    } else {
        Found::At(path)
    }
}

/// Beside `Cargo.toml`, and at the root of the workspace.
fn places(own: PathBuf, root: Option<&Path>) -> Vec<PathBuf> {
    let of_workspace = root.map(|root| root.join(FILE_NAME)).filter(|path| *path != own);
    std::iter::once(own).chain(of_workspace).collect()
}

/// A catalogue one folder below the crate, or between the crate and its workspace.
fn misplaced(manifest_dir: &Path, root: Option<&Path>, looked: &[PathBuf]) -> Option<PathBuf> {
    let below = std::fs::read_dir(manifest_dir).into_iter().flatten().flatten();
    let mut below: Vec<_> = below.map(|folder| folder.path()).collect();
    below.sort_unstable();
    let above = manifest_dir.ancestors().skip(1).take_while(|folder| root.is_some_and(|root| *folder != root));
    let candidates = below.into_iter().chain(above.map(Path::to_owned)).map(|folder| folder.join(FILE_NAME));
    candidates.filter(|path| !looked.contains(path)).find(|path| path.is_file())
}

fn workspace(manifest_dir: &Path) -> Option<&Path> {
    manifest_dir.ancestors().find(|folder| is_workspace(folder))
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
        assert!(matches!(find(&krate, None), Found::Nowhere(_)));
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

    #[test]
    fn what_is_absent_says_where_it_would_be_and_where_one_lies_instead() {
        let root = tempfile::tempdir().unwrap();
        let krate = root.path().join("crates/a");
        std::fs::create_dir_all(krate.join("src")).unwrap();
        std::fs::write(root.path().join("Cargo.toml"), "[workspace]\n").unwrap();
        let looked = vec![krate.join(FILE_NAME), root.path().join(FILE_NAME)];
        let absent = |misplaced, required| Found::Nowhere(Absent { looked: looked.clone(), misplaced, required });
        assert_eq!(find(&krate, None), absent(None, false));
        let above = root.path().join("crates").join(FILE_NAME);
        std::fs::write(&above, "").unwrap();
        assert_eq!(find(&krate, Some("required")), absent(Some(above), true));
        let below = krate.join("src").join(FILE_NAME);
        std::fs::write(&below, "").unwrap();
        assert_eq!(find(&krate, None), absent(Some(below), false));
    }

    #[test]
    fn going_without_is_one_line_which_a_file_contradicts() {
        let krate = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| std::fs::write(krate.path().join(file), text).unwrap();
        let contradicts =
            |named| matches!(find(krate.path(), named), Found::Misnamed(why) if why.contains("remove one of the two"));
        assert_eq!(find(krate.path(), Some("none")), Found::OptedOut);
        write("Cargo.toml", "[package.metadata.paid]\nsignals = \"required\"\n");
        assert!(matches!(find(krate.path(), None), Found::Nowhere(absent) if absent.required));
        assert!(contradicts(Some("none")));
        write("Cargo.toml", "[package.metadata.paid]\nsignals = \"none\"\n");
        assert_eq!(
            (find(krate.path(), None), find(krate.path(), Some("required"))),
            (Found::OptedOut, Found::OptedOut)
        );
        write(FILE_NAME, "");
        assert!(contradicts(None));
    }
}
