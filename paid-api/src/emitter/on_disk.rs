//! The emitter's outbox: feature `outbox`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Emitter, EmitterBuilder, cargo};
use crate::dispatch::{Folder, HasOutbox};
use crate::files;
use crate::outbox::{self, Fsync, Ledger, Resubmission};

impl HasOutbox<EmitterBuilder> for &() {
    fn kept_in(mut builder: EmitterBuilder, folder: PathBuf) -> EmitterBuilder {
        builder.disk.folder = Some(Arc::new(move || files::folder(&folder)));
        builder.disk.open = Some(outbox::open);
        builder
    }
}

impl EmitterBuilder {
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
