//! Cost records as cargo.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::journal;
use super::sink::CostSink;
use crate::dispatch::{Cargo, DiskSettings, Folder, Fsync, OpenedDisk, Record, RecordWriter};
use crate::error::ConfigError;
use crate::report::RecordKind;

/// How long an operating system that is not asked to sync may keep a change in memory, and more.
const LAZY: Duration = Duration::from_secs(5 * 60);

/// Reads the keys of the dead letters in a folder; `None` if they cannot be read.
pub(super) type ReadLetters = fn(&dyn Folder) -> Option<BTreeSet<String>>;

pub(super) struct Costs {
    sink: Arc<CostSink>,
    memory: Option<Memory>,
}

/// Where it is kept which records Paid may have.
struct Memory {
    folder: Arc<dyn Folder>,
    /// How long the removal of a frame may take to reach the disk.
    removal: Duration,
    letters: ReadLetters,
}

impl Costs {
    /// Fails if the journal cannot be read: nothing is opened then, and nothing sent.
    pub(super) fn new(
        sink: Arc<CostSink>,
        folder: Option<Arc<dyn Folder>>,
        disk: &DiskSettings,
        letters: ReadLetters,
    ) -> Result<Self, ConfigError> {
        if let Some(folder) = &folder {
            journal::Journal::open(Arc::clone(folder)).map_err(|error| unreadable(&**folder, &error))?;
        }
        let removal = if disk.fsync == Fsync::Never { LAZY } else { Duration::ZERO };
        Ok(Self { sink, memory: folder.map(|folder| Memory { folder, removal, letters }) })
    }
}

fn unreadable(folder: &dyn Folder, error: &std::io::Error) -> ConfigError {
    ConfigError::new(format!(
        "cannot read {}: {error}; it says which cost records Paid may have, and nothing is sent without it: make it readable, or \
         remove it, and every record in the outbox is uncertain",
        folder.path().join(journal::FILE).display()
    ))
}

impl Cargo for Costs {
    /// Written when it is recorded, so that an invalid record is refused at once.
    type Load = Record;
    type Ink = ();

    const KIND: RecordKind = RecordKind::Cost;

    /// Learns which records of an earlier run Paid may have.
    fn opened(&self, outbox: &mut OpenedDisk) -> Result<(), ConfigError> {
        let Some(Memory { folder, removal, letters }) = &self.memory else { return Ok(()) };
        let found = self.sink.start(Arc::clone(folder), *removal, outbox, || letters(&**folder));
        let news = found.map_err(|error| unreadable(&**folder, &error))?;
        outbox.damage =
            [outbox.damage.take(), news].into_iter().flatten().reduce(|one, other| format!("{one}; {other}"));
        Ok(())
    }

    fn name(_: &Record) -> Cow<'static, str> {
        Cow::Borrowed("")
    }

    fn weight(record: &Record) -> usize {
        record.weight()
    }

    fn ink(&self) {}

    fn write(record: Record, (): &(), page: &mut RecordWriter) {
        page.copy(&record);
    }
}
