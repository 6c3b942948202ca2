//! The stamps of spans that have started and not ended, by span id. They are split into shards with separate locks.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::SpanId;

use super::identity::Stamp;

const SHARDS: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Live {
    shards: [Mutex<HashMap<SpanId, Stamp>>; SHARDS],
}

impl Live {
    fn shard(&self, id: SpanId) -> MutexGuard<'_, HashMap<SpanId, Stamp>> {
        let [.., last] = id.to_bytes();
        let shard = &self.shards[usize::from(last) % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn start(&self, id: SpanId, stamp: Stamp) {
        self.shard(id).insert(id, stamp);
    }

    pub(super) fn get(&self, id: SpanId) -> Option<Stamp> {
        self.shard(id).get(&id).cloned()
    }

    pub(super) fn end(&self, id: SpanId) -> Option<Stamp> {
        self.shard(id).remove(&id)
    }

    pub(super) fn clear(&self) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}
