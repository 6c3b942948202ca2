//! The events that dispatch's thread receives.

use super::disk::{News, Rejected};
use super::lanes::Taken;

pub(super) enum DispatchEvent {
    /// The queue has something to take.
    Ready,
    /// The queue is closed, and there is a time to end.
    Closed,
    /// A batch is finished.
    Finished(Finished),
    /// The outbox reports something.
    Disk(News),
}

/// The result of a batch.
#[derive(Default)]
pub(super) struct Finished {
    pub(super) taken: Taken,
    /// How many records of which chunk are done: delivered or refused.
    pub(super) done: Vec<(u64, u32)>,
    /// The records that were permanently refused.
    pub(super) rejected: Vec<Rejected>,
}

impl Finished {
    pub(super) fn count(&mut self, chunk: u64) {
        match self.done.last_mut() {
            Some((last, number)) if *last == chunk => *number += 1,
            _ => self.done.push((chunk, 1)),
        }
    }
}
