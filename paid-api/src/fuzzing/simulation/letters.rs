//! Dead letters in a folder that is simulated.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use crate::Emitter;
use crate::dispatch::Folder;
use crate::outbox::{self, DeadLetter, DeadLetters, Resubmission};

/// The dead letters in a folder.
///
/// # Errors
///
/// If a file cannot be read.
pub fn letters(folder: &dyn Folder) -> io::Result<DeadLetters> {
    outbox::letters_of(folder)
}

/// Sends the dead letters of signals in a folder again.
pub fn resubmit(emitter: &Emitter, folder: Arc<dyn Folder>) -> Resubmission {
    emitter.resubmit_from(Ok(Some(folder)))
}

/// Removes the dead letters with these keys.
///
/// # Errors
///
/// If a file cannot be read or written.
pub fn discard(folder: &dyn Folder, keys: &BTreeSet<String>) -> io::Result<Vec<DeadLetter>> {
    outbox::discard_from(folder, keys)
}
