//! The emitter's outbox: feature `outbox`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Emitter, EmitterBuilder, cargo};
use crate::dispatch::Folder;
use crate::files;
use crate::outbox::{self, Fsync, Ledger, Resubmission};

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

    /// Writes down what is sent and what Paid answers, for `cargo paid reconcile`; see [`Ledger`].
    pub fn ledger(self, ledger: Ledger) -> Self {
        self.wrapped(move |sink| ledger.over(sink))
    }

    /// Sets when signals in the outbox are protected from crashes; every 50 ms by default. [`Fsync`] says what each
    /// choice can lose.
    pub fn fsync(mut self, fsync: Fsync) -> Self {
        self.disk.fsync = fsync;
        self
    }
}

impl Emitter {
    /// Sends the dead letters of an outbox again, with their original idempotency keys, and removes those that Paid
    /// accepts from its files. Await the result, after setting [which letters](Resubmission::keys) and [for how
    /// long](Resubmission::timeout) if need be.
    ///
    /// Any emitter can do this, including one without an outbox, and while another process has the outbox open.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written, another resubmission is running in the folder, or the folder holds cost
    /// records: `CostEmitter::resubmit` sends those again. That Paid refuses letters, or cannot be reached, is no error,
    /// but a part of the result.
    pub fn resubmit(&self, folder: impl AsRef<Path>) -> Resubmission {
        self.resubmit_from(outbox::shared_folder(folder.as_ref()))
    }

    pub(crate) fn resubmit_from(&self, folder: io::Result<Option<Arc<dyn Folder>>>) -> Resubmission {
        let record = |letter: &outbox::DeadLetter| cargo::record_of_json(letter.record.get().as_bytes());
        Resubmission::new(folder, self.dispatch.errand(), record, |_| {}, || {})
    }
}
