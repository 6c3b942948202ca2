//! Writes a set of generated files or compares it with the disk, and removes files that are no longer generated.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use similar::TextDiff;

/// Path below the root to contents.
pub(crate) type Tree = BTreeMap<PathBuf, String>;

/// Makes the disk equal to `tree`. The `owned` folders hold generated files only. Returns the paths that changed.
pub(crate) fn write(root: &Path, tree: &Tree, owned: &[&str]) -> Result<Vec<PathBuf>> {
    let mut changed = Vec::new();
    for (path, contents) in tree {
        let full = root.join(path);
        if read(&full)?.as_deref() != Some(contents.as_str()) {
            replace(&full, contents).with_context(|| format!("cannot write {}", full.display()))?;
            changed.push(path.clone());
        }
    }
    for path in leftovers(root, tree, owned)? {
        std::fs::remove_file(root.join(&path)).with_context(|| format!("cannot remove {}", path.display()))?;
        changed.push(path);
    }
    Ok(changed)
}

/// Readers see the old file or the new one. Half a manifest of `paid-api` would keep cargo from running this command.
pub(crate) fn replace(path: &Path, contents: &str) -> Result<()> {
    let folder = path.parent().context("a path without a folder")?;
    std::fs::create_dir_all(folder)?;
    // What the umask leaves of it, as for any new file.
    let permissions = std::fs::Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new().permissions(permissions).tempfile_in(folder)?;
    file.write_all(contents.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// A unified diff from the disk to `tree`; empty if they are equal.
pub(crate) fn diff(root: &Path, tree: &Tree, owned: &[&str]) -> Result<String> {
    let mut text = String::new();
    for (path, contents) in tree {
        let there = read(&root.join(path))?.unwrap_or_default();
        text.push_str(&unified(path, &there, contents));
    }
    for path in leftovers(root, tree, owned)? {
        let there = read(&root.join(&path))?.unwrap_or_default();
        text.push_str(&unified(&path, &there, ""));
    }
    Ok(text)
}

fn unified(path: &Path, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let name = path.display().to_string();
    TextDiff::from_lines(old, new).unified_diff().header(&format!("a/{name}"), &format!("b/{name}")).to_string()
}

/// The checkout decides on line endings, so they are not compared.
fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.replace("\r\n", "\n"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn leftovers(root: &Path, tree: &Tree, owned: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in owned {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for entry in entries {
            let path = Path::new(folder).join(entry?.file_name());
            if !tree.contains_key(&path) && root.join(&path).is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect()
    }

    #[test]
    fn what_was_written_has_no_diff_and_leftovers_go() {
        let folder = tempfile::tempdir().unwrap();
        let old = tree(&[("out/a.rs", "one\n"), ("out/b.rs", "two\n")]);
        write(folder.path(), &old, &["out"]).unwrap();
        let new = tree(&[("out/a.rs", "ONE\n")]);
        let shown = diff(folder.path(), &new, &["out"]).unwrap();
        assert!(shown.contains("-one\n+ONE") && shown.contains("-two"), "{shown}");
        assert_eq!(write(folder.path(), &new, &["out"]).unwrap().len(), 2);
        assert_eq!(diff(folder.path(), &new, &["out"]).unwrap(), "");
        assert_eq!(write(folder.path(), &new, &["out"]).unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_written_file_has_the_permissions_of_any_new_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("plain"), "").unwrap();
        write(folder.path(), &tree(&[("out/a.rs", "one\n")]), &["out"]).unwrap();
        let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("out/a.rs"), mode("plain"));
    }
}
