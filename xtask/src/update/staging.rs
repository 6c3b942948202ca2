//! A copy of the repository to work in, and the way back: all of its changes, or none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::sync;

/// Made by tools, and large.
const LEFT_OUT: [&str; 3] = ["target", ".git", "node_modules"];

/// Many files that tests read and nothing compiles.
const NOT_COMPILED: [&str; 2] = ["paid-macros/tests/ui", "xtask/golden"];

/// The copy. It is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: TempDir,
    /// What was copied.
    copied: BTreeMap<PathBuf, Vec<u8>>,
}

impl Staging {
    pub(crate) fn of(root: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("there is no place for a copy of the repository")?;
        let mut copied = BTreeMap::new();
        for path in files(root)? {
            let to = folder.path().join(&path);
            std::fs::create_dir_all(to.parent().context("a file without a folder")?)?;
            let copying = || format!("cannot copy {}", path.display());
            std::fs::copy(root.join(&path), &to).with_context(copying)?;
            copied.insert(path.clone(), std::fs::read(&to).with_context(copying)?);
        }
        Ok(Self { folder, copied })
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn read(&self, path: &str) -> Result<String> {
        std::fs::read_to_string(self.root().join(path)).with_context(|| format!("cannot read {path}"))
    }

    /// The text of a file that may be missing.
    pub(crate) fn find(&self, path: &str) -> Result<Option<String>> {
        if self.root().join(path).is_file() { self.read(path).map(Some) } else { Ok(None) }
    }

    pub(crate) fn write(&mut self, path: &str, text: &str) -> Result<()> {
        sync::replace(&self.root().join(path), text).with_context(|| format!("cannot write {path}"))
    }

    /// Writes to `root` what has changed in the copy, and nothing else. If one of these files has changed there meanwhile,
    /// nothing is written; if one cannot be written, those that were are put back.
    pub(crate) fn move_to(self, root: &Path) -> Result<Vec<PathBuf>> {
        let changes = self.changes(root)?;
        let mut done: Vec<&PathBuf> = Vec::new();
        for (path, change) in &changes {
            let outcome = put(root, path, change.after.as_deref());
            done.push(path);
            if let Err(error) = outcome {
                for path in done.into_iter().rev() {
                    put(root, path, changes[path].before.as_deref())
                        .with_context(|| format!("cannot put {} back, after: {error:#}", path.display()))?;
                }
                return Err(error.context(format!("cannot write {}; nothing has changed", path.display())));
            }
        }
        Ok(changes.into_keys().collect())
    }

    fn changes(&self, root: &Path) -> Result<BTreeMap<PathBuf, Change>> {
        let mut changes = BTreeMap::new();
        for path in self.copied.keys().cloned().chain(files(self.root())?) {
            let (copied, after) = (self.copied.get(&path), bytes(&self.root().join(&path))?);
            if copied == after.as_ref() {
                continue;
            }
            let before = bytes(&root.join(&path))?;
            ensure!(before.as_ref() == copied, "{} has changed meanwhile; nothing was written", path.display());
            changes.insert(path, Change { before, after });
        }
        Ok(changes)
    }
}

#[derive(Debug)]
struct Change {
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

fn bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn put(root: &Path, path: &Path, bytes: Option<&[u8]>) -> Result<()> {
    let full = root.join(path);
    match bytes {
        Some(bytes) if full.is_file() && std::fs::read(&full)? == bytes => Ok(()),
        Some(bytes) => sync::replace(&full, std::str::from_utf8(bytes).context("only text changes")?),
        None if full.is_file() => Ok(std::fs::remove_file(&full)?),
        None => Ok(()),
    }
}

/// Every file below a folder, but what tools made.
pub(super) fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder)).with_context(|| format!("cannot read {}", root.display()))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type()?;
            let is_left_out = LEFT_OUT.iter().any(|name| entry.file_name() == *name);
            if kind.is_dir() && !is_left_out && !NOT_COMPILED.iter().any(|known| path == Path::new(known)) {
                folders.push(path);
            } else if kind.is_file() {
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

    fn written(folder: &Path, path: &str, text: &str) {
        sync::replace(&folder.join(path), text).unwrap();
    }

    #[test]
    fn what_changed_in_the_copy_is_moved_back_and_what_tools_made_is_left_out() {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in [("a", "1"), ("b/c", "2"), ("gone", "3"), ("target/x", "4"), (".git/y", "5")] {
            written(root.path(), path, text);
        }
        let mut copy = Staging::of(root.path()).unwrap();
        assert_eq!(copy.find("target/x").unwrap(), None);
        copy.write("b/c", "new").unwrap();
        copy.write("b/d", "more").unwrap();
        std::fs::remove_file(copy.root().join("gone")).unwrap();
        assert_eq!(copy.move_to(root.path()).unwrap(), ["b/c", "b/d", "gone"].map(PathBuf::from));
        let read = |path: &str| std::fs::read_to_string(root.path().join(path)).ok();
        assert_eq!(
            ["a", "b/c", "b/d", "gone", "target/x"].map(read).map(Option::unwrap_or_default),
            ["1", "new", "more", "", "4"]
        );
    }

    #[test]
    fn what_a_person_does_meanwhile_stays() {
        let root = tempfile::tempdir().unwrap();
        written(root.path(), "a", "1");
        written(root.path(), "b", "2");
        let mut copy = Staging::of(root.path()).unwrap();
        copy.write("a", "new").unwrap();
        written(root.path(), "b", "edited");
        written(root.path(), "notes", "mine");
        assert_eq!(copy.move_to(root.path()).unwrap(), [PathBuf::from("a")]);
        let read = |path: &str| std::fs::read_to_string(root.path().join(path)).unwrap();
        assert_eq!(["a", "b", "notes"].map(read), ["new", "edited", "mine"]);

        let mut copy = Staging::of(root.path()).unwrap();
        copy.write("a", "newer").unwrap();
        copy.write("b", "newer").unwrap();
        written(root.path(), "b", "edited again");
        let error = copy.move_to(root.path()).unwrap_err();
        assert_eq!(error.to_string(), "b has changed meanwhile; nothing was written");
        assert_eq!(["a", "b"].map(read), ["new", "edited again"]);
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_everything_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        written(root.path(), "a", "1");
        let mut copy = Staging::of(root.path()).unwrap();
        copy.write("a", "new").unwrap();
        copy.write("b/c", "new").unwrap();
        // A file stands where a folder is needed.
        written(root.path(), "b", "in the way");
        let error = copy.move_to(root.path()).unwrap_err();
        assert!(format!("{error:#}").contains("b"), "{error:#}");
        assert_eq!(std::fs::read_to_string(root.path().join("a")).unwrap(), "1");
        assert_eq!(std::fs::read_to_string(root.path().join("b")).unwrap(), "in the way");
    }
}
