//! Loads written as records, some hundreds in one buffer.

use super::cargo::Cargo;
use super::queue::{Held, Queued};
use super::record::{Item, RecordWriter};
use super::tell::Tell;

/// Records that were taken from the queue together.
pub(super) struct Chunk {
    pub(super) items: Vec<Item>,
    pub(super) held: Held,
    /// Told when the chunk is on disk.
    pub(super) stored: Vec<Tell<()>>,
}

impl Chunk {
    /// Writes `loads` as records, and empties it.
    pub(super) fn write<C: Cargo>(cargo: &C, number: u64, loads: &mut Vec<Queued<C>>) -> Self {
        let ink = cargo.ink();
        let mut page = RecordWriter::with_capacity(loads.len());
        let mut receipts = Vec::with_capacity(loads.len());
        let (mut held, mut stored) = (Held::default(), Vec::new());
        for queued in loads.drain(..) {
            held.add(queued.content.weight());
            queued.content.write(&ink, &mut page);
            stored.extend(queued.stored);
            // A receipt that was dropped need not be kept.
            receipts.push(queued.receipt.filter(|receipt| !receipt.is_closed()));
        }
        let item = |(record, receipt)| Item::new(record, number, receipt);
        Self { items: page.into_records().zip(receipts).map(item).collect(), held, stored }
    }
}
