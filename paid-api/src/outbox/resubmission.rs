//! Dead letters that are sent again.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::dead_letters::{self, DeadLetter};
use crate::dispatch::Receipt;

/// What became of dead letters that were sent again.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Resubmitted {
    /// Records that Paid took now; they are no longer dead letters.
    pub delivered: u64,
    /// Records that stay in the file, with the reason.
    pub refused: Vec<(DeadLetter, String)>,
}

/// Sends all dead letters of a folder again, and removes from the file what Paid takes.
pub(crate) async fn resubmit_with(
    folder: &Path,
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
