//! Which chunks of records are not done yet. Pure.

use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy)]
struct OpenChunk {
    left: u32,
    /// When the chunk was accepted, in milliseconds since 1970.
    since: u64,
}

/// The chunks in memory, by number, with how many records of each are not done.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    open: BTreeMap<u64, OpenChunk>,
}

impl Ledger {
    pub(super) fn add(&mut self, chunk: u64, records: usize, since: u64) {
        let left = u32::try_from(records).unwrap_or(u32::MAX);
        self.open.insert(chunk, OpenChunk { left, since });
    }

    /// Marks records of a chunk as done; returns true if the whole chunk is done.
    pub(super) fn done(&mut self, chunk: u64, records: u32) -> bool {
        let Some(entry) = self.open.get_mut(&chunk) else { return false };
        entry.left = entry.left.saturating_sub(records);
        let finished = entry.left == 0;
        if finished {
            self.open.remove(&chunk);
        }
        finished
    }

    /// The first chunk that is not done.
    pub(super) fn first(&self) -> Option<u64> {
        self.open.first_key_value().map(|(chunk, _)| *chunk)
    }

    /// When the oldest chunk was accepted, in milliseconds since 1970.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.open.values().next().map(|entry| entry.since)
    }
}
