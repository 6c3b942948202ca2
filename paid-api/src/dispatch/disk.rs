//! What dispatch asks of an outbox: to keep chunks of records, and to give them back. What stands behind it is not known
//! here; it answers with [`News`].

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::event::Event;
use super::record::Record;
use crate::error::ConfigError;
use crate::report::RecordKind;

/// When records in an outbox are made safe against crashes: records go to disk together, in commits.
///
/// What a commit holds is there after the process was killed. It is also there after the machine lost power, unless syncing
/// is left to the operating system. A record that is delivered before its commit is not written at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fsync {
    /// A commit as soon as there is a record, and the disk is asked to have it. A crash loses what was emitted in the
    /// milliseconds before it that one commit takes. [`Emitter::store`](crate::Emitter::store) waits for it.
    EveryCommit,
    /// A commit this often, while there are records, and the disk is asked to have it. A crash loses at most what was
    /// emitted in this time and that of one commit. The default, with 50 ms.
    Every(Duration),
    /// A commit every 50 ms, and the operating system writes it to disk when it likes. A killed process loses at most
    /// what was emitted in this time. A machine that loses power loses what the system had not written, often half a
    /// minute's records, and may leave a damaged file, of which everything readable is saved.
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
            Self::Every(pace) => pace,
            Self::Never => Duration::from_millis(50),
        }
    }
}

/// Opens the outbox of a folder.
pub(crate) type OpenDisk = fn(&DiskSettings, DiskNews) -> Result<OpenedDisk, ConfigError>;

/// Where an outbox is to be, and how it is kept.
#[derive(Clone, Debug)]
pub(crate) struct DiskSettings {
    pub(crate) kind: RecordKind,
    pub(crate) folder: PathBuf,
    pub(crate) fsync: Fsync,
    /// `None` if there is to be no outbox.
    pub(crate) open: Option<OpenDisk>,
}

impl DiskSettings {
    /// No outbox for records of this kind.
    pub(crate) fn none(kind: RecordKind) -> Self {
        Self { kind, folder: PathBuf::new(), fsync: Fsync::default(), open: None }
    }
}

/// An opened outbox, and what was found in it.
pub(crate) struct OpenedDisk {
    pub(crate) disk: Box<dyn Disk>,
    /// The first chunk of an earlier run.
    pub(crate) first: Option<u64>,
    /// The number that the next chunk gets.
    pub(crate) next: u64,
    pub(crate) records: u64,
    pub(crate) damage: Option<String>,
}

/// An outbox. It never waits: its answers are [`News`].
pub(crate) trait Disk: Send {
    /// Keeps a chunk, taken in at `since` (milliseconds since 1970).
    fn add(&self, number: u64, since: u64, records: Vec<Record>);
    /// Somebody waits for room: what is there is to be written now.
    fn hurry(&self);
    /// All records of a chunk are done.
    fn done(&self, number: u64);
    /// Keeps what was refused for good apart.
    fn bury(&self, rejected: Vec<Rejected>);
    /// Reads chunks back, from one number up to before another, until there are enough records or bytes.
    fn load(&self, from: u64, until: u64, records: usize, bytes: usize);
    /// Writes everything; the answer comes when it is on disk.
    fn end(&self) -> oneshot::Receiver<()>;
}

/// A record that was refused for good.
pub(crate) struct Rejected {
    pub(crate) record: Record,
    pub(crate) reason: String,
}

/// Records that were taken in together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) number: u64,
    /// When they were taken in, in milliseconds since 1970.
    pub(crate) since: u64,
    pub(crate) records: Vec<Record>,
    /// Records that cannot be read any more.
    pub(crate) lost: u32,
}

/// What an outbox tells.
pub(crate) enum News {
    /// These chunks are on disk.
    Stored(Vec<u64>),
    /// Chunks that were read, and the number that comes after them.
    Loaded { frames: Vec<Frame>, next: u64 },
    /// Records that were there and cannot be read.
    Lost(u64),
    /// So many dead letters are in the file.
    Buried(u64),
    /// Nothing can be written at the moment.
    Failing(String),
    /// It can again.
    Working,
}

/// The way of [`News`] to dispatch's thread.
#[derive(Clone)]
pub(crate) struct DiskNews(mpsc::UnboundedSender<Event>);

impl DiskNews {
    pub(super) fn new(events: mpsc::UnboundedSender<Event>) -> Self {
        Self(events)
    }

    pub(crate) fn tell(&self, news: News) {
        let _ = self.0.send(Event::Disk(news));
    }
}
