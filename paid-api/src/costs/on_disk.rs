//! The outbox of cost records: feature `outbox`.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::{CostEmitter, CostEmitterBuilder};
use crate::dispatch::{Folder, OpenFolder, Receipt, Record};
use crate::files;
use crate::outbox::{DeadLetter, Fsync, Resubmitted, letters_of, resubmit_with};
use crate::report::{DeliveryError, RecordKind};
use crate::signal::lane::lane;

impl CostEmitterBuilder {
    /// Keeps records in this folder until Paid has them. It must not be the outbox of an emitter of signals. See
    /// [`EmitterBuilder::outbox`](crate::EmitterBuilder::outbox).
    pub fn outbox(self, folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        self.kept_in(Arc::new(move || files::folder(&folder)))
    }

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
    Some(letters_of(folder).ok()?.letters.into_iter().map(|letter| letter.key).collect())
}

impl CostEmitter {
    /// Sends all dead letters of the outbox again, including uncertain ones. Those may then be counted twice, which is
    /// why they are never sent again without this call.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written, or there is no outbox.
    pub async fn resubmit(&self) -> io::Result<Resubmitted> {
        let Some(folder) = &self.folder else {
            return Err(io::Error::other(DeliveryError::NoOutbox { kind: RecordKind::Cost }));
        };
        for letter in letters_of(&**folder)?.letters {
            self.sink.allow(&letter.key);
        }
        let outcome = resubmit_with(&**folder, async |letter| self.send_again(letter).await).await?;
        self.sink.resubmission_is_over();
        Ok(outcome)
    }

    async fn send_again(&self, letter: &DeadLetter) -> Receipt {
        let record = Record::new(
            letter.kind,
            &letter.name,
            &letter.key,
            lane(b'k', &letter.key),
            letter.record.get().as_bytes(),
        );
        let room = self.dispatch.room_for_record(&record).await;
        self.dispatch.push_record(room, record)
    }
}
