//! The frames in a redb file, and the other files in the outbox's folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition};

use super::backend::Lent;
use super::frame;
use crate::dispatch::{Folder, Host, ms};
use crate::report::RecordKind;

const FRAMES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("frames");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// The format version of everything in the folder.
const FORMAT: u64 = 2;
const DATABASE: &str = "outbox.redb";
const HOLDER: &str = "holder";
const MARK: &str = "mark";
/// Each frame is read once, so a large cache would not help.
const CACHE: usize = 8 << 20;
/// A larger file is compacted when it is opened and empty.
const ROOMY: u64 = 64 << 20;

/// Why an outbox cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(
        "the outbox {folder} is held by {holder}; only one process at a time can open it: give each its own folder"
    )]
    Held { folder: String, holder: String },
    #[error("cannot use {folder} as an outbox: {problem}")]
    Folder { folder: String, problem: String },
    #[error("the outbox {folder} has format {found}, but this version knows {FORMAT}: use the version that wrote it")]
    Format { folder: String, found: u64 },
}

/// What was wrong with an outbox, and what was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) problem: String,
    /// Where the damaged file is now.
    pub(crate) kept_as: String,
    /// How many records could be read from it.
    pub(crate) saved: u64,
}

/// The contents of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The first frame.
    pub(crate) first: Option<u64>,
    /// The number of the next frame.
    pub(crate) next: u64,
    pub(crate) records: u64,
}

/// Where an outbox is, and how it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) folder: Arc<dyn Folder>,
    pub(crate) kind: RecordKind,
    /// Whether a commit waits until the data is on disk.
    pub(crate) sync: bool,
    pub(crate) host: Arc<dyn Host>,
}

pub(crate) struct Store {
    database: Database,
    folder: Arc<dyn Folder>,
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Store({})", self.folder.path().display())
    }
}

type StoreResult<T> = Result<T, Box<redb::Error>>;

fn boxed(error: impl Into<redb::Error>) -> Box<redb::Error> {
    Box::new(error.into())
}

impl Store {
    /// Opens or creates the store of a folder. A damaged file is set aside, and its readable records are copied to a
    /// new one.
    pub(crate) fn open(place: &Place) -> Result<(Self, Contents, Option<Damage>), OpenError> {
        let (folder, shown) = (&place.folder, place.folder.path().display().to_string());
        let problem = |problem: String| OpenError::Folder { folder: shown.clone(), problem };
        let (database, damage) = match open_database(place) {
            Ok(database) => (database, None),
            Err(Trouble::Held) => {
                let holder = folder.read(HOLDER).map(|text| String::from_utf8_lossy(&text).into_owned());
                let holder = holder.unwrap_or_else(|_| "another process".to_owned());
                return Err(OpenError::Held { folder: shown, holder });
            }
            Err(Trouble::Unusable(error)) => return Err(problem(error)),
            Err(Trouble::Damaged(what)) => {
                let kept_as = put_aside(place).map_err(|error| problem(error.to_string()))?;
                let database = open_database(place).map_err(|trouble| problem(format!("{trouble:?}")))?;
                (database, Some(Damage { problem: what, kept_as, saved: 0 }))
            }
        };
        // For people only: the file itself is the lock.
        let _ = folder.replace(HOLDER, holder().as_bytes());
        let mut store = Self { database, folder: Arc::clone(folder) };
        let store_problem = |error: Box<redb::Error>| problem(error.to_string());
        match store.format().map_err(store_problem)? {
            Some(FORMAT) => {}
            Some(found) => return Err(OpenError::Format { folder: shown, found }),
            None => store.begin().map_err(store_problem)?,
        }
        let mut damage = damage;
        if let Some(damage) = &mut damage {
            let frames = salvage(place, &damage.kept_as, store.mark()).map_err(|error| problem(error.to_string()))?;
            damage.saved =
                frames.values().filter_map(|bytes| frame::head(bytes)).map(|head| u64::from(head.records)).sum();
            store.commit(&frames, &BTreeSet::new()).map_err(store_problem)?;
        }
        let contents = store.contents().map_err(store_problem)?;
        if contents.records == 0 && folder.length(DATABASE).is_ok_and(|length| length > ROOMY) {
            // After a long outage: gives the space back to the disk. If that fails, the space is reused.
            let _ = store.database.compact();
        }
        Ok((store, contents, damage))
    }

    fn format(&self) -> StoreResult<Option<u64>> {
        let read = self.database.begin_read().map_err(boxed)?;
        match read.open_table(META) {
            Ok(meta) => Ok(meta.get("format").map_err(boxed)?.map(|value| value.value())),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(boxed(error)),
        }
    }

    fn begin(&self) -> StoreResult<()> {
        let write = self.database.begin_write().map_err(boxed)?;
        {
            let mut meta = write.open_table(META).map_err(boxed)?;
            meta.insert("format", FORMAT).map_err(boxed)?;
            // Numbering continues after the lost file: the mark must never be ahead of new frames.
            meta.insert("next", self.mark()).map_err(boxed)?;
            write.open_table(FRAMES).map_err(boxed)?;
        }
        write.commit().map_err(boxed)
    }

    pub(crate) fn contents(&self) -> StoreResult<Contents> {
        let read = self.database.begin_read().map_err(boxed)?;
        let meta = read.open_table(META).map_err(boxed)?;
        let number = |key| StoreResult::Ok(meta.get(key).map_err(boxed)?.map_or(0, |value| value.value()));
        let frames = read.open_table(FRAMES).map_err(boxed)?;
        let first = frames.first().map_err(boxed)?.map(|(number, _)| number.value());
        Ok(Contents { first, next: number("next")?, records: number("records")? })
    }

    /// Adds and removes frames atomically.
    pub(crate) fn commit(&self, added: &BTreeMap<u64, Vec<u8>>, removed: &BTreeSet<u64>) -> StoreResult<()> {
        let write = self.database.begin_write().map_err(boxed)?;
        let first;
        {
            let mut frames = write.open_table(FRAMES).map_err(boxed)?;
            let mut meta = write.open_table(META).map_err(boxed)?;
            let mut records = meta.get("records").map_err(boxed)?.map_or(0, |value| value.value());
            let mut next = meta.get("next").map_err(boxed)?.map_or(0, |value| value.value());
            for (number, bytes) in added {
                frames.insert(number, bytes.as_slice()).map_err(boxed)?;
                records += records_of(bytes);
                next = next.max(number + 1);
            }
            for number in removed {
                if let Some(bytes) = frames.remove(number).map_err(boxed)? {
                    records = records.saturating_sub(records_of(bytes.value()));
                }
            }
            meta.insert("records", records).map_err(boxed)?;
            meta.insert("next", next).map_err(boxed)?;
            first = frames.first().map_err(boxed)?.map_or(next, |(number, _)| number.value());
        }
        write.commit().map_err(boxed)?;
        if !removed.is_empty() {
            // Only a salvage reads the mark, and it works without one.
            let _ = self.folder.replace(MARK, format!("{first:020}").as_bytes());
        }
        Ok(())
    }

    /// The first frame that may not have been delivered, as far as the mark says.
    fn mark(&self) -> u64 {
        let text = self.folder.read(MARK).unwrap_or_default();
        String::from_utf8_lossy(&text).trim().parse().unwrap_or(0)
    }

    /// Those of these frames that are there.
    pub(crate) fn frames(&self, numbers: &BTreeSet<u64>) -> StoreResult<Vec<Bytes>> {
        let read = self.database.begin_read().map_err(boxed)?;
        let frames = read.open_table(FRAMES).map_err(boxed)?;
        let mut found = Vec::new();
        for number in numbers {
            found.extend(frames.get(number).map_err(boxed)?.map(|bytes| Bytes::copy_from_slice(bytes.value())));
        }
        Ok(found)
    }

    /// Reads frames in order from number `from` up to but not including `until`, until there are enough records or
    /// bytes.
    pub(crate) fn load(&self, from: u64, until: u64, records: u64, bytes: usize) -> StoreResult<Vec<(u64, Bytes)>> {
        let read = self.database.begin_read().map_err(boxed)?;
        let frames = read.open_table(FRAMES).map_err(boxed)?;
        let mut loaded = Vec::new();
        let (mut count, mut size) = (0, 0);
        for entry in frames.range(from..until).map_err(boxed)? {
            let (number, value) = entry.map_err(boxed)?;
            let value = Bytes::copy_from_slice(value.value());
            count += records_of(&value);
            size += value.len();
            loaded.push((number.value(), value));
            if count >= records || size >= bytes {
                break;
            }
        }
        Ok(loaded)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.folder.remove(HOLDER);
    }
}

fn records_of(bytes: &[u8]) -> u64 {
    frame::head(bytes).map_or(0, |head| u64::from(head.records))
}

fn holder() -> String {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(std::path::Path::file_name).and_then(|name| name.to_str()).unwrap_or("?");
    format!("process {} ({name})", std::process::id())
}

#[derive(Debug)]
enum Trouble {
    Held,
    Damaged(String),
    Unusable(String),
}

fn open_database(place: &Place) -> Result<Database, Trouble> {
    let unusable = |error: io::Error| Trouble::Unusable(error.to_string());
    let file = place.folder.open(DATABASE).map_err(unusable)?;
    if !file.try_lock().map_err(unusable)? {
        return Err(Trouble::Held);
    }
    let backend = Lent::new(file, place.sync);
    // A damaged file can make redb panic in debug builds.
    let opened =
        catch_unwind(AssertUnwindSafe(|| redb::Builder::new().set_cache_size(CACHE).create_with_backend(backend)));
    match opened {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(DatabaseError::Storage(StorageError::Io(error)))) if !is_damage(&error) => {
            Err(Trouble::Unusable(error.to_string()))
        }
        Ok(Err(error)) => Err(Trouble::Damaged(error.to_string())),
        Err(_) => Err(Trouble::Damaged("its contents are corrupt".to_owned())),
    }
}

fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
}

/// Returns true if a folder has a store.
pub(crate) fn exists(folder: &dyn Folder) -> bool {
    folder.length(DATABASE).is_ok()
}

fn put_aside(place: &Place) -> io::Result<String> {
    let aside = format!("outbox.damaged-{}", ms(place.host.now()));
    place.folder.rename(DATABASE, &aside)?;
    Ok(aside)
}

/// Every whole or partly readable frame from number `from` on, from a file in any state.
fn salvage(place: &Place, file: &str, from: u64) -> io::Result<BTreeMap<u64, Vec<u8>>> {
    const WINDOW: u64 = 1 << 20;
    let file = place.folder.open(file)?;
    let length = file.length()?;
    let read = |at: u64, most: u64| {
        let mut bytes = vec![0; usize::try_from(most.min(length.saturating_sub(at))).unwrap_or_default()];
        file.read(at, &mut bytes).map(|()| bytes)
    };
    let mut frames = BTreeMap::new();
    let mut begin = 0;
    loop {
        let window = read(begin, WINDOW)?;
        let places = window.windows(frame::MAGIC.len()).enumerate().filter(|(_, bytes)| **bytes == frame::MAGIC);
        for (offset, _) in places {
            let at = begin + offset as u64;
            let head = frame::head(&read(at, frame::HEAD as u64)?);
            let Some(found) = head.filter(|found| found.number >= from) else { continue };
            let bytes = read(at, frame::HEAD as u64 + u64::from(found.bytes))?;
            let Some(frame) = frame::decode(place.kind, &bytes.into()) else { continue };
            // A file also holds old copies of pages: the most complete copy of a frame wins.
            let known = frames.get(&frame.number).map_or(0, |bytes: &Vec<u8>| records_of(bytes));
            if frame.records.len() as u64 > known {
                frames.insert(frame.number, frame::encode(frame.number, frame.since, &frame.records));
            }
        }
        if window.len() < frame::MAGIC.len() {
            return Ok(frames);
        }
        // A frame may begin at the very end of the window.
        begin += (window.len() - frame::MAGIC.len() + 1) as u64;
    }
}
