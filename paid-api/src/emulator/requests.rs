//! The requests that the emulator received.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// Older requests are forgotten, so that a long run does not fill the memory.
const REMEMBERED: usize = 10_000;

/// A request that the emulator received.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Recorded {
    /// The id of the operation, or `None` if the document has no operation with this method and path.
    pub operation: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// The path and query.
    pub target: String,
    /// The JSON body; null if there is none, or it is not JSON.
    pub body: Value,
    /// The status of the response; 0 if the connection was closed without one.
    pub status: u16,
}

#[derive(Debug, Default)]
pub(super) struct RequestLog {
    requests: Mutex<VecDeque<Recorded>>,
    received: AtomicU64,
}

impl RequestLog {
    pub(super) fn add(&self, request: Recorded) {
        self.received.fetch_add(1, Ordering::Relaxed);
        let mut requests = self.requests();
        if requests.len() == REMEMBERED {
            requests.pop_front();
        }
        requests.push_back(request);
    }

    pub(super) fn all(&self) -> Vec<Recorded> {
        self.requests().iter().cloned().collect()
    }

    /// How many requests were received.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self) {
        self.requests().clear();
        self.received.store(0, Ordering::Relaxed);
    }

    fn requests(&self) -> MutexGuard<'_, VecDeque<Recorded>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
