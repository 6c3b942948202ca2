//! What dispatch asks of an outbox: to keep chunks of records, and to give them back. Does not know how they are
//! stored; the outbox answers with [`News`].

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::event::DispatchEvent;
use super::folder::{Folder, OpenFolder};
use super::host::Host;
use super::record::Record;
use crate::error::ConfigError;
use crate::report::RecordKind;

/// When records in an outbox are protected from crashes. Records are written to disk together, in commits.
///
/// A commit survives when the process is killed. It also survives a loss of power, unless syncing is left to the
/// operating system. A record that is delivered before its commit is not written at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fsync {
    /// Commits as soon as there is a record, and syncs it to disk. A crash loses the records emitted in the
    /// milliseconds that one commit takes. [`Emitter::store`](crate::Emitter::store) waits for the commit.
    EveryCommit,
    /// Commits this often while there are records, and syncs them to disk. A crash loses at most the records emitted in
    /// this time and during one commit. The default is 50 ms. Whoever waits for `store` waits no longer than by default:
    /// a longer time is cut short.
    Every(Duration),
    /// Commits every 50 ms and lets the operating system write it to disk. A killed process loses at most the records
    /// emitted in this time. A machine that loses power loses what the system had not written yet, often half a minute
    /// of records, and may leave a damaged file, from which everything readable is saved.
    Never,
}

impl Default for Fsync {
    fn default() -> Self {
        Self::Every(Duration::from_millis(50))
    }
}

impl Fsync {
    /// How long a record may wait for its commit.
    pub(crate) fn pace(self) -> Duration {
        match self {
            Self::EveryCommit => Duration::ZERO,
            // A longer one overflows when it is added to a time.
            Self::Every(pace) => pace.min(Duration::from_secs(24 * 60 * 60)),
            Self::Never => Duration::from_millis(50),
        }
    }
}

/// Opens the outbox of a folder.
pub(crate) type OpenDisk = fn(&DiskSettings, &Arc<dyn Host>, DiskNews) -> Result<OpenedDisk, ConfigError>;

/// Where the outbox is, and how it is kept.
#[derive(Clone)]
pub(crate) struct DiskSettings {
    pub(crate) kind: RecordKind,
    /// Opens the folder; `None` if there is no outbox.
    pub(crate) folder: Option<OpenFolder>,
    pub(crate) fsync: Fsync,
    /// `None` if there is no outbox.
    pub(crate) open: Option<OpenDisk>,
    /// Told the keys of the records whose chunks have left the disk for good.
    pub(crate) gone: Option<TellGone>,
}

/// Takes the keys of records.
pub(crate) type TellGone = Arc<dyn Fn(Vec<String>) + Send + Sync>;

impl DiskSettings {
    /// No outbox for records of this kind.
    pub(crate) fn none(kind: RecordKind) -> Self {
        Self { kind, folder: None, fsync: Fsync::default(), open: None, gone: None }
    }

    /// Opens the folder, if there is an outbox; from then on it is this one.
    #[allow(dead_code)]
    pub(crate) fn settle(&mut self) -> Result<Option<Arc<dyn Folder>>, ConfigError> {
        let Some(open) = &self.folder else { return Ok(None) };
        let folder = open().map_err(|error| ConfigError::new(error.to_string()))?;
        let own = Arc::clone(&folder);
        self.folder = Some(Arc::new(move || Ok(Arc::clone(&own))));
        Ok(Some(folder))
    }
}

impl fmt::Debug for DiskSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DiskSettings")
            .field("kind", &self.kind)
            .field("fsync", &self.fsync)
            .finish_non_exhaustive()
    }
}

/// An opened outbox, and what it held.
pub(crate) struct OpenedDisk {
    pub(crate) disk: Box<dyn Disk>,
    /// The first chunk of an earlier run.
    pub(crate) first: Option<u64>,
    /// The number of the next chunk.
    pub(crate) next: u64,
    pub(crate) records: u64,
    pub(crate) damage: Option<String>,
    /// How many records of an earlier run can no longer be read, as far as is known; `records` does not count them.
    pub(crate) lost: u64,
}

/// An outbox. No method waits: the answers arrive as [`News`].
pub(crate) trait Disk: Send {
    /// Keeps a chunk that was accepted at `since` (milliseconds since 1970). `is_spilled` says that it is not kept in
    /// memory, too; so are all that follow, until everything has been read back.
    fn add(&self, number: u64, since: u64, records: Vec<Record>, is_spilled: bool);
    /// A caller waits for room, or for its record to be on disk: write what is pending now.
    fn hurry(&self);
    /// All records of a chunk are done.
    fn done(&self, number: u64);
    /// Keeps permanently refused records as dead letters. [`News::Buried`] or [`News::LettersFailing`] follows, and then,
    /// once for each call, [`News::LettersHandled`].
    fn bury(&self, rejected: Vec<Rejected>);
    /// Shows people which records are set aside; replaces what was shown before.
    fn show_aside(&self, records: Vec<SetAside>);
    /// Reads back the chunks from number `from` up to but not including `until`, until there are enough records or
    /// bytes.
    fn load(&self, from: u64, until: u64, records: usize, bytes: usize);
    /// Writes what can be written, then says what is there.
    fn end(&self) -> oneshot::Receiver<Ended>;
}

/// What is on disk at the end. Everything else was never written, or can no longer be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The numbers of the chunks.
    pub(crate) on_disk: Vec<Range<u64>>,
    /// How many records they hold.
    pub(crate) records: u64,
}

impl Ended {
    #[allow(dead_code)]
    pub(crate) fn has(&self, chunk: u64) -> bool {
        self.on_disk.iter().any(|chunks| chunks.contains(&chunk))
    }
}

/// A record that was permanently refused.
pub(crate) struct Rejected {
    /// The chunk stays on disk until the record is in the file of dead letters.
    pub(crate) chunk: u64,
    pub(crate) record: Record,
    pub(crate) reason: String,
}

/// A record that is tried again at growing intervals.
pub(crate) struct SetAside {
    pub(crate) record: Record,
    pub(crate) reason: String,
    pub(crate) tries: u32,
    /// The time until the next attempt.
    pub(crate) next: Duration,
}

/// Records that were accepted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) number: u64,
    /// When they were accepted, in milliseconds since 1970.
    pub(crate) since: u64,
    pub(crate) records: Vec<Record>,
    /// How many records of the frame can no longer be read.
    pub(crate) lost: u32,
}

/// What an outbox reports.
#[derive(Debug)]
pub(crate) enum News {
    /// These chunks are on disk.
    Stored(Vec<u64>),
    /// Chunks that were read, and the number of the chunk after them.
    Loaded { frames: Vec<Frame>, next: u64 },
    /// How many stored records can no longer be read.
    Lost(u64),
    /// The outbox was damaged, and works again.
    Damaged(Damaged),
    /// How many permanently refused records were written to the file of dead letters: all that were waiting.
    Buried(u64),
    /// The file of dead letters cannot be written at the moment, and why: their chunks stay on disk. Told when records
    /// are to be buried; once it works, `Buried` follows.
    LettersFailing(String),
    /// The letters of this many records, handed over together, are written, or it was said that they cannot be.
    LettersHandled(u64),
    /// Something that the user must know, in words.
    Problem(String),
    /// The outbox cannot be written at the moment, and why. It may still be read.
    Failing(String),
    /// The outbox can be written again.
    Working,
}

/// What damage in the middle of a run has cost.
#[derive(Debug)]
pub(crate) struct Damaged {
    /// In words.
    pub(crate) problem: String,
    /// How many records are lost, as far as is known. Those that are also in memory are not.
    pub(crate) lost: u64,
    /// All chunks before this number should be on disk if they are not done.
    pub(crate) until: u64,
    /// Those that still are there, or will be, with all their records.
    pub(crate) whole: Vec<Range<u64>>,
}

impl Damaged {
    /// Returns true if a chunk that is only on disk has lost records.
    pub(crate) fn concerns(&self, chunk: u64) -> bool {
        chunk < self.until && !self.whole.iter().any(|chunks| chunks.contains(&chunk))
    }
}

/// Sends [`News`] to dispatch's thread.
#[derive(Clone)]
pub(crate) struct DiskNews(mpsc::UnboundedSender<DispatchEvent>);

impl DiskNews {
    pub(super) fn new(events: mpsc::UnboundedSender<DispatchEvent>) -> Self {
        Self(events)
    }

    /// For tests of an outbox: what it tells, in order.
    #[cfg(test)]
    pub(crate) fn for_tests() -> (Self, impl FnMut() -> Option<News>) {
        let (tell, mut events) = mpsc::unbounded_channel();
        let next = move || match events.try_recv() {
            Ok(DispatchEvent::Disk(news)) => Some(news),
            _ => None,
        };
        (Self(tell), next)
    }

    pub(crate) fn tell(&self, news: News) {
        let _ = self.0.send(DispatchEvent::Disk(news));
    }
}
