//! The emitter's outbox: feature `outbox`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Emitter, EmitterBuilder};
use crate::files::{self, PrivateFolder};
use crate::outbox::{self, Fsync, Resubmitted, resubmit_with};
use crate::report::RecordKind;

impl EmitterBuilder {
    /// Keeps signals in this folder until Paid has them, so that they survive a crash, a restart, and an outage that is
    /// longer than memory. Signals of an earlier run are sent first. Signals that Paid permanently refuses are written
    /// to `dead-letters.jsonl` in the folder; see [`outbox`](mod@crate::outbox).
    ///
    /// The folder is created if it does not exist. Only one process at a time can open it, and it must be on a local
    /// disk.
    pub fn outbox(mut self, folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        self.disk.folder = Some(Arc::new(move || files::folder(&folder)));
        self.disk.open = Some(outbox::open);
        self
    }

    /// Sets when signals in the outbox are protected from crashes; every 50 ms by default. [`Fsync`] says what each
    /// choice can lose.
    pub fn fsync(mut self, fsync: Fsync) -> Self {
        self.disk.fsync = fsync;
        self
    }
}

impl Emitter {
    /// Sends all dead letters of an outbox again, with their original idempotency keys, and removes those that Paid
    /// accepts from its file.
    ///
    /// Any emitter can do this, including one without an outbox. If the emitter has this very outbox, letters that are
    /// refused again are written to the file anew.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written, or holds cost records: `CostEmitter::resubmit` sends those again.
    pub async fn resubmit(&self, folder: impl AsRef<Path>) -> io::Result<Resubmitted> {
        let Some(folder) = PrivateFolder::find(folder.as_ref())? else { return Ok(Resubmitted::default()) };
        if outbox::kind_of(&folder)?.is_some_and(|kind| kind != RecordKind::Signal) {
            let problem = "these dead letters are cost records: send them again with `CostEmitter::resubmit`";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        resubmit_with(&folder, async |letter| self.emit_json(letter.record.get().as_bytes()).await).await
    }
}
