//! The outbox of cost records: feature `outbox`.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{CostEmitter, CostEmitterBuilder};
use crate::dispatch::{Folder, HasOutbox, OpenFolder, Record};
use crate::files;
use crate::outbox::{self, DeadLetter, Fsync, Resubmission};
use crate::report::{DeliveryError, RecordKind};
use crate::signal::lane::lane;

impl HasOutbox<CostEmitterBuilder> for &() {
    fn kept_in(builder: CostEmitterBuilder, folder: PathBuf) -> CostEmitterBuilder {
        builder.kept_in(Arc::new(move || files::folder(&folder)))
    }
}

impl CostEmitterBuilder {
    pub(crate) fn kept_in(mut self, folder: OpenFolder) -> Self {
        self.disk.folder = Some(folder);
        self.disk.open = Some(crate::outbox::open);
        self.letters = keys_of_letters;
        self
    }

    /// Sets when records in the outbox are protected from crashes; every 50 ms by default. [`Fsync`] says what each
    /// choice can lose.
    pub fn fsync(mut self, fsync: Fsync) -> Self {
        self.disk.fsync = fsync;
        self
    }
}

fn keys_of_letters(folder: &dyn Folder) -> Option<BTreeSet<String>> {
    Some(outbox::letters_of(folder).ok()?.letters.into_iter().map(|letter| letter.key).collect())
}

impl CostEmitter {
    /// Sends all dead letters of this emitter's outbox again, including uncertain ones. Those may then be counted twice,
    /// which is why they are never sent again without this call.
    ///
    /// # Errors
    ///
    /// If there is no outbox, a file cannot be read or written, or another resubmission is running. That Paid refuses
    /// records, or cannot be reached, is no error, but a part of the result.
    pub fn resubmit(&self) -> Resubmission {
        let no_outbox = || io::Error::other(DeliveryError::NoOutbox { kind: RecordKind::Cost });
        self.resubmission(self.folder.clone().ok_or_else(no_outbox).map(Some))
    }

    /// Like [`resubmit`](Self::resubmit), for the outbox in another folder, which another process may have open.
    ///
    /// # Errors
    ///
    /// See [`resubmit`](Self::resubmit); and if the folder holds signals.
    pub fn resubmit_from(&self, folder: impl AsRef<Path>) -> Resubmission {
        self.resubmission(outbox::shared_folder(folder.as_ref()))
    }

    fn resubmission(&self, folder: io::Result<Option<Arc<dyn Folder>>>) -> Resubmission {
        let (sink, own) = (Arc::clone(&self.sink), Arc::clone(&self.sink));
        let allow = move |letter: &DeadLetter| sink.allow(&letter.key);
        Resubmission::new(folder, self.dispatch.errand(), record_of, allow, move || own.resubmission_is_over())
    }
}

// The signature is that of letters that cannot be sent.
#[allow(clippy::unnecessary_wraps)]
fn record_of(letter: &DeadLetter) -> Option<Record> {
    let body = letter.record.get().as_bytes();
    Some(Record::new(RecordKind::Cost, &letter.name, &letter.key, lane(b'k', &letter.key), body))
}
