//! The frames in a redb file, and the other files in the outbox's folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition};

use super::backend::{Backend, Medium};
use super::frame;
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
    pub(crate) kept_as: PathBuf,
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

#[derive(Debug)]
pub(crate) struct Store {
    database: Database,
    folder: PathBuf,
}

type StoreResult<T> = Result<T, Box<redb::Error>>;

fn boxed(error: impl Into<redb::Error>) -> Box<redb::Error> {
    Box::new(error.into())
}

impl Store {
    /// Opens or creates the store of a folder. A damaged file is set aside, and its readable records are copied to a
    /// new one.
    pub(crate) fn open(
        folder: &Path,
        kind: RecordKind,
        medium: &Medium,
    ) -> Result<(Self, Contents, Option<Damage>), OpenError> {
        let problem = |problem: String| OpenError::Folder { folder: folder.display().to_string(), problem };
        fs::create_dir_all(folder).map_err(|error| problem(error.to_string()))?;
        let path = folder.join(DATABASE);
        let (database, damage) = match open_database(&path, medium) {
            Ok(database) => (database, None),
            Err(Trouble::Held) => {
                let holder = fs::read_to_string(folder.join(HOLDER)).unwrap_or_else(|_| "another process".to_owned());
                return Err(OpenError::Held { folder: folder.display().to_string(), holder });
            }
            Err(Trouble::Unusable(error)) => return Err(problem(error)),
            Err(Trouble::Damaged(what)) => {
                let kept_as = put_aside(&path).map_err(|error| problem(error.to_string()))?;
                let database = open_database(&path, medium).map_err(|trouble| problem(format!("{trouble:?}")))?;
                (database, Some(Damage { problem: what, kept_as, saved: 0 }))
            }
        };
        // For people only: the file itself is the lock.
        let _ = fs::write(folder.join(HOLDER), holder());
        let mut store = Self { database, folder: folder.to_owned() };
        let store_problem = |error: Box<redb::Error>| problem(error.to_string());
        match store.format().map_err(store_problem)? {
            Some(FORMAT) => {}
            Some(found) => return Err(OpenError::Format { folder: folder.display().to_string(), found }),
            None => store.begin().map_err(store_problem)?,
        }
        let mut damage = damage;
        if let Some(damage) = &mut damage {
            let frames = salvage(kind, &damage.kept_as, store.mark()).map_err(|error| problem(error.to_string()))?;
            damage.saved =
                frames.values().filter_map(|bytes| frame::head(bytes)).map(|head| u64::from(head.records)).sum();
            store.commit(&frames, &BTreeSet::new()).map_err(store_problem)?;
        }
        let contents = store.contents().map_err(store_problem)?;
        if contents.records == 0 && path.metadata().is_ok_and(|metadata| metadata.len() > ROOMY) {
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
            let _ = fs::write(self.folder.join(MARK), format!("{first:020}"));
        }
        Ok(())
    }

    /// The first frame that may not have been delivered, as far as the mark says.
    fn mark(&self) -> u64 {
        let text = fs::read_to_string(self.folder.join(MARK)).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
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
        let _ = fs::remove_file(self.folder.join(HOLDER));
    }
}

fn records_of(bytes: &[u8]) -> u64 {
    frame::head(bytes).map_or(0, |head| u64::from(head.records))
}

fn holder() -> String {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or("?");
    format!("process {} ({name})", std::process::id())
}

#[derive(Debug)]
enum Trouble {
    Held,
    Damaged(String),
    Unusable(String),
}

fn open_database(path: &Path, medium: &Medium) -> Result<Database, Trouble> {
    let file = super::private().read(true).write(true).truncate(false).open(path);
    let file = file.map_err(|error| Trouble::Unusable(error.to_string()))?;
    let backend = Backend::new(file, medium).map_err(|error| Trouble::Unusable(error.to_string()))?;
    // A damaged file can make redb panic in debug builds.
    let opened =
        catch_unwind(AssertUnwindSafe(|| redb::Builder::new().set_cache_size(CACHE).create_with_backend(backend)));
    match opened {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch)) => Err(Trouble::Held),
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
pub(crate) fn exists(folder: &Path) -> bool {
    folder.join(DATABASE).exists()
}

fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let now = crate::dispatch::now_ms();
    let aside = path.with_extension(format!("damaged-{now}"));
    fs::rename(path, &aside)?;
    Ok(aside)
}

/// Every whole or partly readable frame from number `from` on, from a file in any state.
fn salvage(kind: RecordKind, path: &Path, from: u64) -> io::Result<BTreeMap<u64, Vec<u8>>> {
    let mut file = File::open(path)?;
    let mut frames = BTreeMap::new();
    let mut window = Vec::new();
    let mut begin = 0;
    loop {
        file.seek(SeekFrom::Start(begin))?;
        window.clear();
        let read = file.by_ref().take(1 << 20).read_to_end(&mut window)?;
        let places = window.windows(frame::MAGIC.len()).enumerate().filter(|(_, bytes)| **bytes == frame::MAGIC);
        for (place, _) in places.collect::<Vec<_>>() {
            file.seek(SeekFrom::Start(begin + place as u64))?;
            let mut head = Vec::new();
            file.by_ref().take(frame::HEAD as u64).read_to_end(&mut head)?;
            let Some(found) = frame::head(&head).filter(|found| found.number >= from) else { continue };
            file.by_ref().take(u64::from(found.bytes)).read_to_end(&mut head)?;
            let Some(frame) = frame::decode(kind, &head.into()) else { continue };
            // A file also holds old copies of pages: the most complete copy of a frame wins.
            let known = frames.get(&frame.number).map_or(0, |bytes: &Vec<u8>| records_of(bytes));
            if frame.records.len() as u64 > known {
                frames.insert(frame.number, frame::encode(frame.number, frame.since, &frame.records));
            }
        }
        if read < frame::MAGIC.len() {
            return Ok(frames);
        }
        // A frame may begin at the very end of the window.
        begin += (read - frame::MAGIC.len() + 1) as u64;
    }
}
