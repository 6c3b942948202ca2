//! Requests as JSON lines: what was changed, when. Read again, they make the same account: ids are counted, and time is that
//! of the line.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::{Timestamp, foreign};

/// One request, with the status of its answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    /// The emulator's time.
    pub(super) at: Timestamp,
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) operation: Option<String>,
    /// 0 if the connection was closed without an answer.
    pub(super) status: u16,
    /// As it came, digit for digit; null if it was no JSON.
    pub(super) body: Box<RawValue>,
}

/// A body on one line. In JSON, line ends stand between values only.
pub(super) fn raw(body: &[u8]) -> Box<RawValue> {
    let text = String::from_utf8_lossy(body).replace(['\n', '\r'], " ");
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The target of an entry that moves the time.
pub(super) const CLOCK: &str = "/__emulator/clock";

impl Entry {
    /// What was done through a control route.
    pub(super) fn of_control(at: Timestamp, target: String, body: &Value) -> Self {
        Self {
            at,
            method: "POST".to_owned(),
            target,
            operation: None,
            status: 200,
            body: raw(body.to_string().as_bytes()),
        }
    }

    pub(super) fn of_clock(by: TimeDelta, at: Timestamp) -> Self {
        Self::of_control(at, CLOCK.to_owned(), &json!({ "advanceSeconds": by.num_seconds() }))
    }

    /// The body as it came.
    pub(super) fn text(&self) -> &[u8] {
        match self.body.get() {
            "null" => b"",
            text => text.as_bytes(),
        }
    }
}

/// The files that requests are written to.
#[derive(Debug, Default)]
pub(super) struct Journals {
    /// What changes something, for the next start.
    changes: Mutex<Option<Journal>>,
    all: Mutex<Option<Journal>>,
}

#[derive(Debug)]
struct Journal {
    file: File,
    path: String,
}

impl Journal {
    /// Goes on behind the last whole line: one that was cut off was never answered.
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
        let text = std::fs::read(path)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        if whole < text.len() {
            file.set_len(whole as u64)?;
        }
        Ok(Self { file, path: path.display().to_string() })
    }
}

fn locked(journal: &Mutex<Option<Journal>>) -> MutexGuard<'_, Option<Journal>> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes an entry. A file that cannot be written is said, once, and left.
fn write(journal: &Mutex<Option<Journal>>, entry: impl FnOnce() -> Entry) {
    let mut journal = locked(journal);
    let Some(open) = journal.as_mut() else { return };
    let Ok(mut line) = serde_json::to_vec(&entry()) else { return };
    line.push(b'\n');
    if let Err(error) = open.file.write_all(&line) {
        foreign::error(&format_args!(
            "the emulator no longer writes to {}, which lacks everything from now on: {error}",
            open.path
        ));
        *journal = None;
    }
}

impl Journals {
    pub(super) fn keep_changes(&self, path: &Path) -> io::Result<()> {
        *locked(&self.changes) = Some(Journal::open(path)?);
        Ok(())
    }

    pub(super) fn keep_all(&self, path: &Path) -> io::Result<()> {
        *locked(&self.all) = Some(Journal::open(path)?);
        Ok(())
    }

    pub(super) fn changed(&self, entry: impl FnOnce() -> Entry) {
        write(&self.changes, entry);
    }

    pub(super) fn received(&self, entry: impl FnOnce() -> Entry) {
        write(&self.all, entry);
    }

    /// The account begins anew.
    pub(super) fn clear(&self) {
        if let Some(journal) = locked(&self.changes).as_ref() {
            let _ = journal.file.set_len(0);
        }
    }
}

/// What a file holds; nothing if it does not exist. The last line may be cut off: the emulator was killed while it wrote it.
pub(super) fn read(path: &Path) -> io::Result<Vec<Entry>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    let lines: Vec<String> = BufReader::new(file).lines().collect::<io::Result<_>>()?;
    let mut entries = Vec::with_capacity(lines.len());
    let last = lines.len();
    for (number, line) in (1..).zip(lines).filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(&line) {
            Ok(entry) => entries.push(entry),
            Err(_) if number == last => {}
            Err(error) => {
                let problem = format!("line {number} of {} is no recorded request: {error}", path.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
            }
        }
    }
    Ok(entries)
}
