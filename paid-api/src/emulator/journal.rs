//! Requests as JSON lines: what was changed, when. Read again, they make the same account: ids are counted, and time is that
//! of the line.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::{Timestamp, aloud};

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
    /// How many ids were assigned before it, if something was left out before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ids: Option<u64>,
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
            ids: None,
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
    changes: Arc<Mutex<Option<Journal>>>,
    all: Mutex<Option<Journal>>,
}

#[derive(Debug)]
struct Journal {
    file: File,
    path: PathBuf,
    /// In bytes.
    size: u64,
    /// The size at which it is compacted next, unless that is under way.
    limit: Option<u64>,
    /// How often the account began anew.
    cleared: u64,
}

/// Smaller and larger files are compacted at the start only: while others use the account, a second one is made to try it.
const SMALL: u64 = 1 << 20;
const LARGE: u64 = 256 << 20;

impl Journal {
    /// Goes on behind the last whole line: one that was cut off was never answered.
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
        let text = std::fs::read(path)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        if whole < text.len() {
            file.set_len(whole as u64)?;
        }
        let size = whole as u64;
        Ok(Self { file, path: path.to_owned(), size, limit: limit(size), cleared: 0 })
    }

    /// Puts these entries in the place of what was in the file when it was this long. What came since stays behind them. The file
    /// is whole at every moment.
    fn replace(&mut self, entries: &[Entry], read: u64) -> io::Result<()> {
        let mut next = self.path.clone().into_os_string();
        next.push(".next");
        let next = PathBuf::from(next);
        let _ = std::fs::remove_file(&next);
        let mut file = BufWriter::new(OpenOptions::new().create(true).append(true).read(true).open(&next)?);
        for entry in entries {
            serde_json::to_writer(&mut file, entry)?;
            file.write_all(b"\n")?;
        }
        let mut since = File::open(&self.path)?;
        since.seek(SeekFrom::Start(read))?;
        io::copy(&mut since, &mut file)?;
        let file = file.into_inner()?;
        file.sync_all()?;
        let size = file.metadata()?.len();
        std::fs::rename(&next, &self.path)?;
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            // Not every system opens folders.
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        // Nothing can fail from here on: what is written next must not go to the file that was replaced.
        (self.file, self.size, self.limit) = (file, size, limit(size));
        Ok(())
    }
}

/// The size at which a file of this size is compacted.
fn limit(size: u64) -> Option<u64> {
    Some(size.saturating_mul(2).max(SMALL)).filter(|limit| *limit <= LARGE)
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
    match open.file.write_all(&line) {
        Ok(()) => open.size += line.len() as u64,
        Err(error) => {
            aloud::error(&format_args!(
                "the emulator no longer writes to {}, which lacks everything from now on: {error}",
                open.path.display()
            ));
            *journal = None;
        }
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

    /// Notes a change. Returns the file if it has become twice as long as it was when it was compacted: it is to be compacted again.
    #[must_use]
    pub(super) fn changed(&self, entry: impl FnOnce() -> Entry) -> Option<Grown> {
        write(&self.changes, entry);
        let mut journal = locked(&self.changes);
        let open = journal.as_mut()?;
        open.limit.take_if(|limit| open.size > *limit)?;
        let journal = Arc::clone(&self.changes);
        Some(Grown { journal, path: open.path.clone(), size: open.size, cleared: open.cleared })
    }

    /// Puts a smaller journal of the same account in the place of all that there is.
    pub(super) fn replace(&self, entries: &[Entry]) -> io::Result<()> {
        locked(&self.changes).as_mut().map_or(Ok(()), |journal| journal.replace(entries, journal.size))
    }

    pub(super) fn received(&self, entry: impl FnOnce() -> Entry) {
        write(&self.all, entry);
    }

    /// The account begins anew.
    pub(super) fn clear(&self) {
        if let Some(journal) = locked(&self.changes).as_mut() {
            let _ = journal.file.set_len(0);
            journal.size = 0;
            journal.cleared += 1;
        }
    }
}

/// A file that is to be compacted, while others go on writing to it.
pub(super) struct Grown {
    journal: Arc<Mutex<Option<Journal>>>,
    path: PathBuf,
    size: u64,
    cleared: u64,
}

impl Grown {
    pub(super) fn entries(&self) -> io::Result<Vec<Entry>> {
        read_until(&self.path, self.size)
    }

    /// Puts these entries in the place of those that were read, if there are any. Otherwise, the file stays as it is.
    pub(super) fn compacted(self, smaller: Option<Vec<Entry>>) {
        let mut journal = locked(&self.journal);
        let Some(open) = journal.as_mut() else { return };
        if let Some(smaller) = smaller.filter(|_| open.cleared == self.cleared)
            && let Err(error) = open.replace(&smaller, self.size)
        {
            aloud::error(&format_args!("the emulator cannot compact {}: {error}", self.path.display()));
        }
        open.limit = limit(open.size);
    }
}

/// What a file holds; nothing if it does not exist. The last line may be cut off: the emulator was killed while it wrote it.
pub(super) fn read(path: &Path) -> io::Result<Vec<Entry>> {
    read_until(path, u64::MAX)
}

/// What the first bytes of a file hold.
fn read_until(path: &Path, size: u64) -> io::Result<Vec<Entry>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?.take(size),
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
