//! Resubmission of dead letters.

use std::collections::BTreeSet;
use std::io;

use super::dead_letters::{self, DeadLetter};
use crate::dispatch::{Folder, Receipt};

/// The result of resubmitting dead letters.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Resubmitted {
    /// How many records Paid accepted; they are no longer dead letters.
    pub delivered: u64,
    /// The records that stay in the file, each with the reason.
    pub refused: Vec<(DeadLetter, String)>,
}

/// Sends all dead letters of a folder again, and removes those that Paid accepts from the file.
pub(crate) async fn resubmit_with(
    folder: &dyn Folder,
    mut send: impl AsyncFnMut(&DeadLetter) -> Receipt,
) -> io::Result<Resubmitted> {
    let mut receipts = Vec::new();
    for letter in dead_letters::read(folder)?.letters {
        receipts.push((send(&letter).await, letter));
    }
    let mut outcome = Resubmitted::default();
    let mut keys = BTreeSet::new();
    for (receipt, letter) in receipts {
        match receipt.await {
            Ok(_) => {
                outcome.delivered += 1;
                keys.insert(letter.key);
            }
            Err(failure) => outcome.refused.push((letter, failure.to_string())),
        }
    }
    if !keys.is_empty() {
        dead_letters::remove(folder, &keys)?;
    }
    Ok(outcome)
}
