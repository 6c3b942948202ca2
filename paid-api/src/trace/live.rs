//! The spans that have started and not ended, with what they were stamped with: by the span's id, in parts that are
//! locked apart.

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
