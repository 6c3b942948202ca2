//! The records that Paid permanently refused, in files that people can read: one JSON object a line.

mod correction;
mod line;
mod shelf;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Timestamp;
use crate::dispatch::{Folder, Rejected};
use crate::files::PrivateFolder;
use crate::report::RecordKind;

pub use correction::{replace_letter, replace_letter_and_key};
pub(super) use line::{compact, kinds, with_fields};
pub(super) use shelf::{FILE, Fate, append, explained, read, rewrite};

/// A signal or cost record that Paid permanently refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeadLetter {
    /// When it was refused.
    pub at: Timestamp,
    /// Why it was refused, in Paid's words if it gave any.
    pub reason: String,
    /// Whether it is a signal, a cost or a span.
    #[serde(with = "line::kinds")]
    pub kind: RecordKind,
    /// The event name of a signal.
    pub name: String,
    /// The idempotency key of a signal; a cost record's local key.
    pub key: String,
    /// The record as it was sent.
    pub record: Box<RawValue>,
}

impl DeadLetter {
    pub(super) fn of(rejected: Rejected, at: Timestamp) -> Option<Self> {
        let Rejected { record, reason, .. } = rejected;
        let (kind, name, key) = (record.kind(), record.name().to_owned(), record.key().to_owned());
        // A letter is one line. Invalid JSON is kept as a string.
        let json = serde_json::from_slice::<&RawValue>(record.body()).ok().map(|json| compact(json.get()));
        let body = match json {
            Some(json) => RawValue::from_string(json),
            None => serde_json::value::to_raw_value(&String::from_utf8_lossy(record.body())),
        };
        Some(Self { at, reason, kind, name, key, record: body.ok()? })
    }
}

/// Dead letters, and lines that cannot be parsed.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct DeadLetters {
    /// In the order in which they were refused; only the last one of each key.
    pub letters: Vec<DeadLetter>,
    /// Lines that cannot be parsed, for example after a crash while one was written. They stay in their file, byte by
    /// byte.
    pub unreadable: Vec<String>,
}

/// Reads the dead letters of an outbox: the records that Paid permanently refused. Works while a process has the outbox
/// open, and changes nothing.
///
/// # Errors
///
/// If a file cannot be read. An outbox without such a file has no dead letters.
pub fn dead_letters(folder: impl AsRef<Path>) -> io::Result<DeadLetters> {
    Ok(opened(folder.as_ref())?.map(|folder| read(&folder)).transpose()?.unwrap_or_default())
}

/// Returns the dead letter with this key, if the outbox has it.
///
/// # Errors
///
/// If a file cannot be read.
pub fn dead_letter(folder: impl AsRef<Path>, key: &str) -> io::Result<Option<DeadLetter>> {
    Ok(dead_letters(folder)?.letters.into_iter().rev().find(|letter| letter.key == key))
}

/// Removes the dead letters with these keys for good, and returns them: they are never sent. All other letters stay,
/// and so do lines that cannot be parsed.
///
/// # Errors
///
/// If a file cannot be read or written.
pub fn discard<K: Into<String>>(
    folder: impl AsRef<Path>,
    keys: impl IntoIterator<Item = K>,
) -> io::Result<Vec<DeadLetter>> {
    let keys: BTreeSet<String> = keys.into_iter().map(Into::into).collect();
    let folder = opened(folder.as_ref())?;
    folder.map_or_else(|| Ok(Vec::new()), |folder| discard_from(&folder, &keys))
}

/// See [`discard`].
pub(crate) fn discard_from(folder: &dyn Folder, keys: &BTreeSet<String>) -> io::Result<Vec<DeadLetter>> {
    let mut discarded = Vec::new();
    rewrite(folder, |entry| match entry.letter() {
        Some(letter) if keys.contains(&letter.key) => {
            discarded.push(letter.clone());
            Fate::Drop
        }
        _ => Fate::Keep,
    })?;
    Ok(discarded)
}

/// Removes the lines that cannot be parsed for good, and returns their number.
///
/// # Errors
///
/// If a file cannot be read or written.
pub fn discard_unreadable(folder: impl AsRef<Path>) -> io::Result<u64> {
    let mut discarded = 0;
    if let Some(folder) = opened(folder.as_ref())? {
        rewrite(&folder, |entry| match entry.letter() {
            Some(_) => Fate::Keep,
            None => {
                discarded += 1;
                Fate::Drop
            }
        })?;
    }
    Ok(discarded)
}

/// The folder; `None` if it does not exist. It is not created.
pub(super) fn opened(path: &Path) -> io::Result<Option<PrivateFolder>> {
    PrivateFolder::find(path).map_err(|error| explained("use", path, &error))
}

#[cfg(test)]
mod tests;
