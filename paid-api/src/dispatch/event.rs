//! The events that dispatch's thread receives.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::disk::{News, Rejected};
use super::lanes::Taken;
use super::record::Item;
use crate::error::Error;

pub(super) enum DispatchEvent {
    /// The queue has something to take.
    Ready,
    /// The queue is closed, and there is a time to end.
    Closed,
    /// A batch is finished.
    Finished(Finished),
    /// A batch of these lanes and customers fails, and it is not known whether others would get through.
    Doubt { taken: Taken, customers: BTreeSet<u32>, is_old: bool },
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
    /// Records that fail while others get through, each with the last error.
    pub(super) aside: Vec<(Item, Arc<Error>)>,
    /// Later records of the same customers, if the order is kept.
    pub(super) behind: Vec<Item>,
    /// Records of an attempt that decided nothing.
    pub(super) back: Vec<(Item, Arc<Error>)>,
    /// Records that were not delivered when time ran out.
    pub(super) left: Vec<Item>,
    /// The customer and the weight of a record that was set aside and tried again.
    pub(super) was_aside: Option<(u32, usize)>,
    /// True if the batch was an extra attempt.
    pub(super) is_extra: bool,
}

impl Finished {
    pub(super) fn count(&mut self, chunk: u64) {
        match self.done.last_mut() {
            Some((last, number)) if *last == chunk => *number += 1,
            _ => self.done.push((chunk, 1)),
        }
    }
}
