//! Which records are being sent, on disk before the request is: records that a crash leaves there are uncertain.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::files;

const FILE: &str = "costs-on-their-way";

/// The size in bytes at which the file is rewritten.
const LARGE: usize = 1 << 20;

/// One line for each change: `+key` before a request, `-key` after its response.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    file: File,
    size: usize,
    on_their_way: BTreeSet<String>,
}

impl Journal {
    /// Opens the file in an outbox's folder; also returns the keys that an earlier run left.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, BTreeSet<String>)> {
        let text = match fs::read_to_string(folder.join(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut left = BTreeSet::new();
        for line in text.lines() {
            match line.split_at_checked(1) {
                Some(("+", key)) => drop(left.insert(key.to_owned())),
                Some(("-", key)) => drop(left.remove(key)),
                _ => {}
            }
        }
        let (file, size) = write_anew(folder, &left)?;
        let journal = Self { folder: folder.to_owned(), file, size, on_their_way: left.clone() };
        Ok((journal, left))
    }

    /// Adds keys and syncs them to disk.
    pub(super) fn begin(&mut self, keys: &[String]) -> io::Result<()> {
        self.on_their_way.extend(keys.iter().cloned());
        self.write('+', keys)?;
        self.file.sync_data()
    }

    /// Removes keys. If a crash loses this, the records are only uncertain.
    pub(super) fn end(&mut self, keys: &[String]) -> io::Result<()> {
        for key in keys {
            self.on_their_way.remove(key);
        }
        self.write('-', keys)?;
        if self.size > LARGE.max(self.on_their_way.len() * 100) {
            (self.file, self.size) = write_anew(&self.folder, &self.on_their_way)?;
        }
        Ok(())
    }

    fn write(&mut self, sign: char, keys: &[String]) -> io::Result<()> {
        let text: String = keys.iter().map(|key| format!("{sign}{key}\n")).collect();
        self.size += text.len();
        self.file.write_all(text.as_bytes())
    }
}

/// Rewrites the file with the pending keys only, so that it does not grow forever.
fn write_anew(folder: &Path, keys: &BTreeSet<String>) -> io::Result<(File, usize)> {
    let text: String = keys.iter().map(|key| format!("+{key}\n")).collect();
    Ok((files::replace(&folder.join(FILE), text.as_bytes())?, text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_its_way_is_found_again_and_the_file_stays_small() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, left) = Journal::open(folder.path()).unwrap();
        assert!(left.is_empty());
        let key = |number: usize| format!("{number:036}");
        journal.begin(&[key(0), key(1)]).unwrap();
        for round in 0..40 {
            let keys: Vec<_> = (0..1_000).map(|number| key(2 + round * 1_000 + number)).collect();
            journal.begin(&keys).unwrap();
            journal.end(&keys).unwrap();
        }
        journal.end(&[key(1)]).unwrap();
        assert!(fs::metadata(folder.path().join(FILE)).unwrap().len() < 2 * LARGE as u64);
        drop(journal);
        // A crash in the middle of a line does not spoil the lines before it.
        let mut file = File::options().append(true).open(folder.path().join(FILE)).unwrap();
        file.write_all(b"+half").unwrap();
        let (_, left) = Journal::open(folder.path()).unwrap();
        assert_eq!(left.into_iter().collect::<Vec<_>>(), [key(0), "half".to_owned()]);
    }
}
