//! Which records are on their way, on disk before the request goes out: what a crash leaves there is uncertain.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

#[cfg(feature = "outbox")]
use crate::delivery::outbox::COSTS_MARK as FILE;
#[cfg(not(feature = "outbox"))]
const FILE: &str = "";

/// One line a change: `+key` before a request, `-key` after its answer.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
}

impl Journal {
    /// Opens the file of an outbox's folder; with the keys that an earlier run left.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, BTreeSet<String>)> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
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
        // Written anew, so that it does not grow for ever.
        let fresh = folder.join(format!("{FILE}.new"));
        let mut file = File::create(&fresh)?;
        for key in &left {
            writeln!(file, "+{key}")?;
        }
        file.sync_data()?;
        fs::rename(&fresh, &path)?;
        Ok((Self { file }, left))
    }

    /// On disk when it returns.
    pub(super) fn begin(&mut self, keys: &[String]) -> io::Result<()> {
        self.write('+', keys)?;
        self.file.sync_data()
    }

    /// What of this is lost in a crash is only uncertain.
    pub(super) fn end(&mut self, keys: &[String]) -> io::Result<()> {
        self.write('-', keys)
    }

    fn write(&mut self, sign: char, keys: &[String]) -> io::Result<()> {
        let text: String = keys.iter().map(|key| format!("{sign}{key}\n")).collect();
        self.file.write_all(text.as_bytes())
    }
}
