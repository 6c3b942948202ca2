//! What dispatch's thread hears.

use super::disk::{News, Rejected};
use super::lanes::Taken;

pub(super) enum Event {
    /// There is something in the queue.
    Ready,
    /// No more records come, and there is a time to end.
    Closed,
    /// A batch is done.
    Finished(Finished),
    /// The outbox says something.
    Disk(News),
}

/// What became of a batch.
#[derive(Default)]
pub(super) struct Finished {
    pub(super) taken: Taken,
    /// How many records of which chunk are done, for good or bad.
    pub(super) done: Vec<(u64, u32)>,
    /// What was refused for good.
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
