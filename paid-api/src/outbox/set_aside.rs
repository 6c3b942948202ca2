//! Records that are set aside: they stay in the outbox and are tried again at growing intervals, while others go on.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::dead_letters::{DeadLetter, explained, kinds, opened};
use crate::Timestamp;
use crate::dispatch::{self, Folder, Rejected};
use crate::report::RecordKind;

const FILE: &str = "set-aside.jsonl";

/// A record that could not be delivered so far, while others were. It is tried again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SetAside {
    /// The record, when it was last tried, and why it was not accepted.
    pub letter: DeadLetter,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next.
    pub next: Timestamp,
}

impl SetAside {
    pub(super) fn of(record: dispatch::SetAside, now: SystemTime) -> Option<Self> {
        let dispatch::SetAside { record, reason, tries, next } = record;
        let time = |time: SystemTime| Timestamp::from(chrono::DateTime::from(time));
        let letter = DeadLetter::of(Rejected { chunk: 0, record, reason }, time(now))?;
        Some(Self { letter, tries, next: time(now.checked_add(next)?) })
    }
}

/// What a line has that one of a dead letter has not.
#[derive(Deserialize)]
struct Tries {
    tries: u32,
    next: Timestamp,
}

#[derive(Serialize)]
struct Line<'a> {
    at: Timestamp,
    reason: &'a str,
    #[serde(with = "kinds")]
    kind: RecordKind,
    name: &'a str,
    key: &'a str,
    tries: u32,
    next: Timestamp,
    record: &'a RawValue,
}

/// Reads the records of an outbox that are set aside. Works while a process has the outbox open, and changes nothing.
/// Lines that cannot be parsed are left out; they stay in the file.
///
/// # Errors
///
/// If the file cannot be read. Without the file, no record is set aside.
pub fn set_aside(folder: impl AsRef<Path>) -> io::Result<Vec<SetAside>> {
    let Some(folder) = opened(folder.as_ref())? else { return Ok(Vec::new()) };
    Ok(read(&folder)?.0)
}

/// The records, and the lines that cannot be parsed.
fn read(folder: &dyn Folder) -> io::Result<(Vec<SetAside>, Vec<Vec<u8>>)> {
    let text = match folder.read(FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        other => other.map_err(|error| explained("read", &folder.path().join(FILE), &error))?,
    };
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        match (serde_json::from_slice(line), serde_json::from_slice(line)) {
            (Ok(letter), Ok(Tries { tries, next })) => found.push(SetAside { letter, tries, next }),
            _ => unreadable.push(line.to_vec()),
        }
    }
    Ok((found, unreadable))
}

/// Replaces what is set aside. Lines that cannot be parsed stay; an empty file is removed.
pub(super) fn write_set_aside(folder: &dyn Folder, letters: &[SetAside]) -> io::Result<()> {
    let mut text = Vec::new();
    for line in read(folder)?.1 {
        text.extend_from_slice(&line);
        text.push(b'\n');
    }
    for SetAside { letter, tries, next } in letters {
        let DeadLetter { at, reason, kind, name, key, record } = letter;
        let line = Line { at: *at, reason, kind: *kind, name, key, tries: *tries, next: *next, record };
        serde_json::to_writer(&mut text, &line)?;
        text.push(b'\n');
    }
    let written = match (text.is_empty(), folder.length(FILE)) {
        (true, Err(_)) => Ok(()),
        (true, Ok(_)) => folder.remove(FILE),
        (false, _) => folder.replace(FILE, &text),
    };
    written.map_err(|error| explained("write", &folder.path().join(FILE), &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::PrivateFolder;

    #[test]
    fn what_is_set_aside_is_read_again_and_nothing_else_is_lost() {
        let place = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::open(place.path()).unwrap();
        assert!(set_aside(place.path()).unwrap().is_empty());
        write_set_aside(&folder, &[]).unwrap();
        assert!(folder.list().unwrap().is_empty());
        let letter: DeadLetter = serde_json::from_str(
            r#"{"at":"2026-01-31T00:00:00Z","reason":"503","kind":"signal","name":"e","key":"k","record":{"a":1.10}}"#,
        )
        .unwrap();
        let next = "2026-02-01".parse().unwrap();
        write_set_aside(&folder, &[SetAside { letter, tries: 3, next }]).unwrap();
        let found = set_aside(place.path()).unwrap();
        let [aside] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((aside.tries, aside.next, aside.letter.record.get()), (3, next, r#"{"a":1.10}"#));
        folder.append(FILE, b"\xff\n", true).unwrap();
        write_set_aside(&folder, &[]).unwrap();
        assert_eq!(folder.read(FILE).unwrap(), b"\xff\n");
        assert!(set_aside(place.path()).unwrap().is_empty());
        std::fs::write(place.path().join(FILE), "").unwrap();
        write_set_aside(&folder, &[]).unwrap();
        assert!(folder.list().unwrap().is_empty());
    }
}
