//! Which chunks of records are not done yet. Pure.

use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy)]
struct Entry {
    left: u32,
    /// Milliseconds since 1970 at which it was taken in.
    since: u64,
}

/// The chunks in memory, by number, with what is left of each.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    open: BTreeMap<u64, Entry>,
}

impl Ledger {
    pub(super) fn add(&mut self, chunk: u64, records: usize, since: u64) {
        let left = u32::try_from(records).unwrap_or(u32::MAX);
        self.open.insert(chunk, Entry { left, since });
    }

    /// So many records of a chunk are done; whether all are.
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

    /// When the oldest was taken in, in milliseconds since 1970.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.open.values().next().map(|entry| entry.since)
    }
}
