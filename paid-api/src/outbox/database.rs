//! The frames in a redb file. Whatever the file holds: each call ends, and says if the file is damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use redb::{ReadableDatabase, ReadableTable, StorageError, TableDefinition, TableHandle};

use super::backend::Lent;
use super::frame;
use crate::dispatch::Storage;
use crate::report::RecordKind;

const FRAMES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("frames");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Each frame is read once, so a large cache would not help.
const CACHE: usize = 8 << 20;

/// Why the file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It is damaged.
    Damaged(String),
    /// It is not damaged, as far as is known, but it cannot be read or written now.
    Unusable(String),
}

/// What the file says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Head {
    /// `None` in a new file.
    pub(super) format: Option<u64>,
    pub(super) kind: Option<RecordKind>,
    pub(super) next: u64,
    pub(super) records: u64,
    /// The first frame.
    pub(super) first: Option<u64>,
}

/// What a look at every frame has found.
#[derive(Debug, Default)]
pub(super) struct Census {
    pub(super) frames: BTreeSet<u64>,
    pub(super) records: u64,
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Damaged(problem) | Self::Unusable(problem)) = self;
        formatter.write_str(problem)
    }
}

#[derive(Debug)]
pub(super) struct Database {
    database: Option<redb::Database>,
    file: Lent,
    /// Damage was found: it is not closed as others are.
    is_damaged: AtomicBool,
}

type Attempt<T> = Result<T, Box<redb::Error>>;

fn boxed(error: impl Into<redb::Error>) -> Box<redb::Error> {
    Box::new(error.into())
}

impl Database {
    /// Opens a locked file. If that fails, the file comes back.
    pub(super) fn open(file: Box<dyn Storage>, sync: bool) -> Result<Self, (Trouble, Option<Box<dyn Storage>>)> {
        let file = Lent::new(file, sync);
        let lent = file.clone();
        let open = move || redb::Builder::new().set_cache_size(CACHE).create_with_backend(lent).map_err(boxed);
        match caught(open) {
            Ok(database) => Ok(Self { database: Some(database), file, is_damaged: AtomicBool::new(false) }),
            Err(trouble) => Err((trouble, file.take())),
        }
    }

    /// Closes the file without another write; it stays locked until it is dropped.
    pub(super) fn seize(self) -> Option<Box<dyn Storage>> {
        self.file.take()
    }

    fn attempt<T>(&self, work: impl FnOnce(&redb::Database) -> Attempt<T>) -> Result<T, Trouble> {
        let Some(database) = &self.database else { return Err(Trouble::Unusable("it is closed".to_owned())) };
        let result = caught(|| work(database));
        if matches!(result, Err(Trouble::Damaged(_))) {
            self.is_damaged.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Whether what is written can be found again.
    pub(super) fn is_in_place(&self) -> io::Result<bool> {
        self.file.with(|file| file.is_in_place())
    }

    pub(super) fn length(&self) -> u64 {
        self.file.with(|file| file.length()).unwrap_or(0)
    }

    pub(super) fn head(&self) -> Result<Head, Trouble> {
        self.attempt(|database| {
            let read = database.begin_read().map_err(boxed)?;
            let tables: BTreeSet<_> = read.list_tables().map_err(boxed)?.map(|table| table.name().to_owned()).collect();
            if tables.is_empty() {
                return Ok(Head::default());
            }
            let meta = read.open_table(META).map_err(boxed)?;
            let number = |key| Attempt::Ok(meta.get(key).map_err(boxed)?.map(|value| value.value()));
            let frames = read.open_table(FRAMES).map_err(boxed)?;
            Ok(Head {
                // A file of another program has none.
                format: Some(number("format")?.unwrap_or(0)),
                kind: number("kind")?.and_then(kind_of),
                next: number("next")?.unwrap_or(0),
                records: number("records")?.unwrap_or(0),
                first: frames.first().map_err(boxed)?.map(|(number, _)| number.value()),
            })
        })
    }

    /// Makes a new file ready.
    pub(super) fn begin(&self, format: u64, next: u64) -> Result<(), Trouble> {
        self.attempt(|database| {
            let write = database.begin_write().map_err(boxed)?;
            {
                let mut meta = write.open_table(META).map_err(boxed)?;
                meta.insert("format", format).map_err(boxed)?;
                meta.insert("next", next).map_err(boxed)?;
                write.open_table(FRAMES).map_err(boxed)?;
            }
            write.commit().map_err(boxed)
        })
    }

    /// Looks at every frame.
    pub(super) fn census(&self) -> Result<Census, Trouble> {
        self.attempt(|database| {
            let read = database.begin_read().map_err(boxed)?;
            let mut census = Census::default();
            for entry in read.open_table(FRAMES).map_err(boxed)?.iter().map_err(boxed)? {
                let (number, value) = entry.map_err(boxed)?;
                let number = number.value();
                in_order(census.frames.last().copied(), number)?;
                census.frames.insert(number);
                census.records += match frame::head(value.value()) {
                    Some(head) if head.number != number => return Err(corrupted("its frames have wrong numbers")),
                    _ => records_of(value.value()),
                };
            }
            Ok(census)
        })
    }

    /// Adds and removes frames atomically, and shows what is removed; returns how many records are there.
    pub(super) fn commit(
        &self,
        added: &BTreeMap<u64, Vec<u8>>,
        removed: &BTreeSet<u64>,
        mut leave: impl FnMut(u64, Option<&[u8]>),
    ) -> Result<u64, Trouble> {
        self.attempt(|database| {
            let write = database.begin_write().map_err(boxed)?;
            let mut records;
            {
                let mut frames = write.open_table(FRAMES).map_err(boxed)?;
                let mut meta = write.open_table(META).map_err(boxed)?;
                records = meta.get("records").map_err(boxed)?.map_or(0, |value| value.value());
                let mut next = meta.get("next").map_err(boxed)?.map_or(0, |value| value.value());
                for (number, bytes) in added {
                    let before = frames.insert(number, bytes.as_slice()).map_err(boxed)?;
                    records = records.saturating_sub(before.map_or(0, |bytes| records_of(bytes.value())));
                    records += records_of(bytes);
                    next = next.max(number + 1);
                }
                for number in removed {
                    let bytes = frames.remove(number).map_err(boxed)?;
                    let bytes = bytes.as_ref().map(|bytes| bytes.value());
                    records = records.saturating_sub(bytes.map_or(0, records_of));
                    leave(*number, bytes);
                }
                meta.insert("records", records).map_err(boxed)?;
                meta.insert("next", next).map_err(boxed)?;
            }
            write.commit().map_err(boxed)?;
            Ok(records)
        })
    }

    /// Corrects the number of records.
    pub(super) fn set_records(&self, records: u64) -> Result<(), Trouble> {
        self.set("records", records)
    }

    /// Says which kind of records the frames hold.
    pub(super) fn set_kind(&self, kind: RecordKind) -> Result<(), Trouble> {
        self.set("kind", number_of(kind))
    }

    fn set(&self, name: &str, number: u64) -> Result<(), Trouble> {
        self.attempt(|database| {
            let write = database.begin_write().map_err(boxed)?;
            write.open_table(META).map_err(boxed)?.insert(name, number).map_err(boxed)?;
            write.commit().map_err(boxed)
        })
    }

    /// Reads frames in order from number `from` up to but not including `until`, until there are enough records or
    /// bytes.
    pub(super) fn load(&self, from: u64, until: u64, records: u64, bytes: usize) -> Result<Vec<(u64, Bytes)>, Trouble> {
        self.attempt(|database| {
            let read = database.begin_read().map_err(boxed)?;
            let frames = read.open_table(FRAMES).map_err(boxed)?;
            let mut loaded = Vec::new();
            let (mut count, mut size) = (0, 0);
            for entry in frames.range(from..until).map_err(boxed)? {
                let (number, value) = entry.map_err(boxed)?;
                in_order(loaded.last().map(|(before, _)| *before), number.value())?;
                let value = Bytes::copy_from_slice(value.value());
                count += records_of(&value);
                size += value.len();
                loaded.push((number.value(), value));
                if count >= records || size >= bytes {
                    break;
                }
            }
            Ok(loaded)
        })
    }

    /// How many records are in the frames from number `from` on.
    pub(super) fn count(&self, from: u64) -> Result<u64, Trouble> {
        self.attempt(|database| {
            let read = database.begin_read().map_err(boxed)?;
            let frames = read.open_table(FRAMES).map_err(boxed)?;
            let (mut count, mut before) = (0, None);
            for entry in frames.range(from..).map_err(boxed)? {
                let (number, value) = entry.map_err(boxed)?;
                in_order(before.replace(number.value()), number.value())?;
                count += records_of(value.value());
            }
            Ok(count)
        })
    }

    /// Gives unused space back to the disk. If that fails, the space is reused.
    pub(super) fn compact(&mut self) {
        if let Some(database) = &mut self.database {
            let compacted = caught(|| database.compact().map_err(boxed));
            *self.is_damaged.get_mut() |= matches!(compacted, Err(Trouble::Damaged(_)));
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let database = self.database.take();
        if self.is_damaged.load(Ordering::Relaxed) {
            // Closing writes, and over damage redb can panic twice, which aborts the process: its memory is left to leak.
            std::mem::forget(database);
            return drop(self.file.take());
        }
        let _ = catch_unwind(AssertUnwindSafe(|| drop(database)));
        drop(self.file.take());
    }
}

/// In a damaged file, a walk over the frames may go round in circles.
fn in_order(before: Option<u64>, number: u64) -> Attempt<()> {
    match before {
        Some(before) if before >= number => Err(corrupted("its frames are out of order")),
        _ => Ok(()),
    }
}

fn corrupted(problem: &str) -> Box<redb::Error> {
    boxed(StorageError::Corrupted(problem.to_owned()))
}

/// How many records a frame holds; if its head is damaged, how many of them can be read.
pub(super) fn records_of(bytes: &[u8]) -> u64 {
    let readable = || frame::decode_headless(RecordKind::Signal, 0, &Bytes::copy_from_slice(bytes)).records.len();
    frame::head(bytes).map_or_else(|| readable() as u64, |head| u64::from(head.records))
}

fn number_of(kind: RecordKind) -> u64 {
    u64::from(kind == RecordKind::Cost) + 1
}

fn kind_of(number: u64) -> Option<RecordKind> {
    [RecordKind::Signal, RecordKind::Cost].into_iter().find(|kind| number_of(*kind) == number)
}

/// What redb answers. A damaged file can make it panic.
fn caught<T>(work: impl FnOnce() -> Attempt<T>) -> Result<T, Trouble> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(trouble(*error)),
        Err(_) => Err(Trouble::Damaged("its contents are corrupt".to_owned())),
    }
}

fn trouble(error: redb::Error) -> Trouble {
    let text = error.to_string();
    let is_damage = match error {
        redb::Error::Io(error) => {
            use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
            matches!(error.kind(), UnexpectedEof | InvalidData | InvalidInput)
        }
        redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::ValueTooLarge(_) => false,
        _ => true,
    };
    if is_damage { Trouble::Damaged(text) } else { Trouble::Unusable(text) }
}
