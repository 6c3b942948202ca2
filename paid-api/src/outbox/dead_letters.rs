//! The records that Paid permanently refused, in a file that people can read: one JSON object a line.

use std::collections::BTreeSet;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::dispatch::{Folder, Rejected};
use crate::report::RecordKind;

pub(super) const FILE: &str = "dead-letters.jsonl";
const LOCK: &str = "dead-letters.lock";

/// A signal or cost record that Paid permanently refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeadLetter {
    /// When it was refused.
    pub at: crate::Timestamp,
    /// Why it was refused, in Paid's words if it gave any.
    pub reason: String,
    /// The kind of the record.
    #[serde(with = "kinds")]
    pub kind: RecordKind,
    /// The event name of a signal.
    pub name: String,
    /// The idempotency key of a signal; a cost record's local key.
    pub key: String,
    /// The record as it was sent.
    pub record: Box<RawValue>,
}

impl DeadLetter {
    pub(super) fn of(rejected: Rejected, at: crate::Timestamp) -> Option<Self> {
        let Rejected { record, reason } = rejected;
        let (kind, name, key) = (record.kind(), record.name().to_owned(), record.key().to_owned());
        // Invalid JSON is kept as a string.
        let body = serde_json::from_slice(record.body())
            .or_else(|_| serde_json::value::to_raw_value(&String::from_utf8_lossy(record.body())));
        Some(Self { at, reason, kind, name, key, record: body.ok()? })
    }
}

/// Serializes the kind as `signal` or `cost`.
mod kinds {
    use super::{Deserialize, RecordKind};
    use serde::de::Error;

    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(super) fn serialize<S: serde::Serializer>(kind: &RecordKind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(word(*kind))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<RecordKind, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = [RecordKind::Signal, RecordKind::Cost].into_iter().find(|kind| word(*kind) == text);
        known.ok_or_else(|| D::Error::custom("the kind of a dead letter is `signal` or `cost`"))
    }

    fn word(kind: RecordKind) -> &'static str {
        match kind {
            RecordKind::Cost => "cost",
            RecordKind::Signal | RecordKind::Span => "signal",
        }
    }
}

/// Appends letters and syncs them to disk. Takes a lock, so that a resubmission in another process loses nothing.
pub(crate) fn append(folder: &dyn Folder, letters: &[DeadLetter]) -> io::Result<()> {
    let _lock = folder.lock(LOCK)?;
    let mut text = Vec::new();
    // A line that a crash cut off must not spoil the next one.
    if found(folder)?.last().is_some_and(|last| *last != b'\n') {
        text.push(b'\n');
    }
    for letter in letters {
        serde_json::to_writer(&mut text, letter)?;
        text.push(b'\n');
    }
    folder.append(FILE, &text, true)
}

/// The text of the file, which may not exist.
fn found(folder: &dyn Folder) -> io::Result<Vec<u8>> {
    match folder.read(FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

/// Dead letters, and lines that cannot be parsed.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct DeadLetters {
    /// In the order in which they were refused; only the last one of each key.
    pub letters: Vec<DeadLetter>,
    /// Lines that cannot be parsed, for example after a crash while one was written. They stay in the file.
    pub unreadable: Vec<String>,
}

impl DeadLetters {
    fn keep(&mut self, letter: DeadLetter) {
        self.letters.retain(|known| known.key != letter.key);
        self.letters.push(letter);
    }
}

/// Reads the dead letters of an outbox; returns none if there is no file.
pub(crate) fn read(folder: &dyn Folder) -> io::Result<DeadLetters> {
    let mut dead = DeadLetters::default();
    for line in found(folder)?.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice::<DeadLetter>(line) {
            Ok(letter) => dead.keep(letter),
            Err(_) => dead.unreadable.push(String::from_utf8_lossy(line).into_owned()),
        }
    }
    Ok(dead)
}

/// Removes the letters with these keys; letters that were added in the meantime stay.
pub(crate) fn remove(folder: &dyn Folder, keys: &BTreeSet<String>) -> io::Result<()> {
    let _lock = folder.lock(LOCK)?;
    let kept = read(folder)?;
    let mut text = Vec::new();
    for line in kept.unreadable {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    for letter in kept.letters {
        if !keys.contains(&letter.key) {
            serde_json::to_writer(&mut text, &letter)?;
            text.push(b'\n');
        }
    }
    folder.replace(FILE, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(key: &str) -> DeadLetter {
        let record = RawValue::from_string(format!(r#"{{"eventName":"e","idempotencyKey":"{key}"}}"#)).unwrap();
        let at = "2026-01-31".parse().unwrap();
        DeadLetter { at, reason: "no".into(), kind: RecordKind::Signal, name: "e".into(), key: key.into(), record }
    }

    fn keys(folder: &dyn Folder) -> Vec<String> {
        read(folder).unwrap().letters.into_iter().map(|letter| letter.key).collect()
    }

    #[test]
    fn letters_are_kept_once_a_key_and_survive_a_line_that_was_cut_off() {
        let place = tempfile::tempdir().unwrap();
        let folder = crate::files::PrivateFolder::open(place.path()).unwrap();
        append(&folder, &[letter("a"), letter("b")]).unwrap();
        folder.append(FILE, b"{\"at\":\"2026-", true).unwrap();
        append(&folder, &[letter("a"), letter("c")]).unwrap();
        assert_eq!(keys(&folder), ["b", "a", "c"]);
        remove(&folder, &BTreeSet::from(["a".to_owned()])).unwrap();
        assert_eq!(keys(&folder), ["b", "c"]);
        assert_eq!(read(&folder).unwrap().unreadable, ["{\"at\":\"2026-"]);
    }
}
